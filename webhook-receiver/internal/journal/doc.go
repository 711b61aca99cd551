// Package journal keeps the receiver's events on disk: what [Journal.Append] has confirmed survives a crash of the
// process and of the machine.
//
// # Use
//
//	j, err := journal.Open(journal.Options{Path: "/data/journal.db", MaxSize: 8 << 30})
//	go j.Run(ctx)
//	outcome, err := j.Append(ctx, entry)                 // nil: it is on disk
//	records, next, err := j.Claim(route, 10)             // deliver them ...
//	err = j.Settle(records[0].Seq, event.Settlement{})   // ... and say how it ended
//
// All methods may be called from many goroutines at once. One process uses one file; a lock sees to it.
//
// # What it promises
//
//   - Append returns nil only after the fsync of the transaction that holds the event. What waits meanwhile is
//     committed together in the next one.
//   - An event of a route with an id that arrived less than Options.DedupeWindow ago (of a connector: CalloutDedupeWindow) is stored once, also when both
//     copies arrive together, across restarts, and when the first was removed early.
//   - A claimed event that was not settled is claimed again after a crash. Of events with one order key only the
//     first that is pending can be claimed.
//   - No pending event is removed, and no other undelivered one without a log line and a metric.
//   - After a failed write or sync nothing is confirmed until the file was closed, opened, and proved by writing.
//
// docs/durability.md has the assumptions below these promises and the test that holds each.
//
// # How
//
// One bbolt file, written by one goroutine. Each event is a sealed record of its own (see seal.go) that never
// changes; how its delivery stands is a second, small record. Both are found and proved without the B-tree
// around them, which is what [Salvage] does with a damaged file. The rest are indexes.
//
// Before bbolt maps a file, the journal reads the tree itself and proves that each page is what its parent says:
// bbolt trusts its pages, and would end the process.
package journal
