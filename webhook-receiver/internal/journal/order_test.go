package journal

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// keyed is an event that waits for the earlier ones of its key.
func keyed(route event.RouteID, id, key string) event.Entry {
	e := entry(route, id)
	e.OrderKey = key
	return e
}

// TestOneKeyAtATime follows the line of a key, across a restart, a retry, a death and a replay.
func TestOneKeyAtATime(t *testing.T) {
	t.Parallel()
	b := open(t)
	first := b.add(keyed(reports, "1", "k"))
	second := b.add(keyed(reports, "2", "k"))
	third := b.add(keyed(reports, "3", "k"))
	b.add(keyed(reports, "other", "other key"))
	b.add(keyed(requests, "elsewhere", "k"))
	b.claim(requests, "elsewhere")
	b.claim(reports, "1", "other")
	b.reopen()
	b.claim(reports, "1", "other")
	b.settle(first, event.Settlement{Error: "503", RetryAt: b.clock.Now().Add(time.Hour)})
	b.claim(reports) // a retry holds the others back
	b.clock.Step(time.Hour)
	b.claim(reports, "1")
	b.settle(first, event.Settlement{Error: "400"})
	b.claim(reports, "2") // what is dead does not
	if err := b.Replay(first); err != nil {
		t.Fatal(err)
	}
	b.settle(second, event.Settlement{Error: "503", RetryAt: b.clock.Now()})
	b.claim(reports, "1") // replayed, it comes before those that waited
	b.settle(first, event.Settlement{})
	b.claim(reports, "2")
	b.settle(second, event.Settlement{})
	b.claim(reports, "3")
	b.settle(third, event.Settlement{})
	b.checked()
	b.reopen()
}

// TestReplayedWhileClaimed settles a claim that a replay has overtaken.
func TestReplayedWhileClaimed(t *testing.T) {
	t.Parallel()
	b := open(t)
	seq := b.add(entry(reports, "a"))
	b.claim(reports, "a")
	b.settle(seq, event.Settlement{Error: "400", ToDeadLetterSink: true})
	b.claim(reports, "a")
	if err := b.Replay(seq); err != nil {
		t.Fatal(err)
	}
	b.settle(seq, event.Settlement{}) // of the dead letter sink
	b.state(seq, event.Pending)
	if r := b.claim(reports, "a"); r[0].Replays != 1 || r[0].ToDeadLetterSink {
		t.Errorf("claimed %+v, want it for its own sink, replayed once", r[0])
	}
}

// TestReplayAllByFilter replays what a filter selects, and no more.
func TestReplayAllByFilter(t *testing.T) {
	t.Parallel()
	b := open(t)
	for i := range 600 { // more than one batch
		b.appends(sized([]event.RouteID{reports, requests}[i%2], int64(i)), event.Accepted)
	}
	for _, r := range append(must(b.claimAll(reports)), must(b.claimAll(requests))...) {
		b.settle(r.Seq, []event.Settlement{{Error: "400"}, {}, {}}[r.Seq%3])
	}
	for _, want := range []int{100, 0} {
		n, err := b.ReplayAll(t.Context(), event.Filter{Namespace: "finance", State: event.Dead})
		if err != nil || n != want {
			t.Fatalf("ReplayAll = %d, %v, want %d", n, err, want)
		}
	}
	again := must(b.claimAll(reports))
	if i := slices.IndexFunc(again, func(r event.Record) bool { return r.Seq%3 != 0 || r.Replays != 1 || r.Attempts != 0 }); i >= 0 {
		t.Errorf("claimed %+v, want those that were dead", again[i])
	}
	b.claim(requests)
	if err := b.Replay(10_000); !errors.Is(err, event.ErrNotFound) {
		t.Errorf("Replay of what there is not: %v", err)
	}
}

// TestDamagedHoldsUpNoKey delivers what comes after an event whose bytes are damaged.
func TestDamagedHoldsUpNoKey(t *testing.T) {
	t.Parallel()
	b := open(t)
	e := keyed(reports, "1", "k")
	first := b.add(e)
	b.add(keyed(reports, "2", "k"))
	b.close()
	file := must(os.ReadFile(b.options.Path))
	for at := bytes.Index(file, e.Event.Body); at >= 0; at = bytes.Index(file, e.Event.Body) {
		file[at] ^= 1
	}
	if err := os.WriteFile(b.options.Path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	b.Journal = must(Open(b.options))
	b.claim(reports) // which finds out
	b.claim(reports, "2")
	if s := b.Stats().Routes[0]; s.DeadLettered != 1 || s.LastError == "" {
		t.Errorf("of event %d the statistics say %+v", first, s)
	}
	b.close()
	if report := must(Check(b.options.Path)); len(report.Problems) > 0 || !slices.Equal(report.Damaged, []uint64{first}) {
		t.Errorf("Check = %+v, want event %d to be damaged, and nothing else", report, first)
	}
}
