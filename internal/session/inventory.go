package session

import (
	"maps"
	"slices"
	"time"

	"github.com/ess-operator/ess-operator/internal/ess"
)

// Inventory is what is known of the subscriptions of one application. The zero
// value knows nothing. Values are never changed after they were handed out.
type Inventory struct {
	// ListedAt is when the last LIST was answered; zero before the first.
	ListedAt time.Time

	entries map[string]entry
	reading uint64 // of the last LIST
}

// entry is the newest reading of one id. Readings are numbered in the order
// they were asked for, because a LIST that was asked for before a write may be
// answered after it.
type entry struct {
	subscription ess.Subscription
	present      bool
	reading      uint64
}

// Subscription returns what ESS held under id when it was last read.
func (i Inventory) Subscription(id string) (ess.Subscription, bool) {
	e := i.entries[id]
	return e.subscription, e.present
}

// IDs are the ids of all subscriptions, sorted.
func (i Inventory) IDs() []string {
	ids := make([]string, 0, len(i.entries))
	for id, e := range i.entries {
		if e.present {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// merged is the inventory after a LIST: entries read since the LIST was asked
// for are newer than its answer and stay.
func (i Inventory) merged(list []ess.Subscription, reading uint64, at time.Time) Inventory {
	next := Inventory{ListedAt: at, reading: reading, entries: make(map[string]entry, len(list))}
	for _, s := range list {
		next.entries[s.ID] = entry{subscription: s, present: true, reading: reading}
	}
	for id, e := range i.entries {
		if e.reading > reading {
			next.entries[id] = e
		}
	}
	return next
}

// with is the inventory after one id was read, unless the read is older than
// the LIST: then what the LIST has, or lacks, stays.
func (i Inventory) with(id string, e entry) Inventory {
	next := i
	next.entries = make(map[string]entry, len(i.entries)+1)
	maps.Copy(next.entries, i.entries)
	if e.reading > max(i.reading, next.entries[id].reading) {
		next.entries[id] = e
	}
	return next
}
