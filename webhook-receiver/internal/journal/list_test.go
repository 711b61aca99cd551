package journal

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// pages lists all pages of a filter.
func (b *bench) pages(f event.Filter, p event.Page) (seqs []uint64) {
	b.t.Helper()
	for {
		records, next, err := b.List(f, p)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, r := range records {
			seqs = append(seqs, r.Seq)
		}
		if next == 0 {
			return seqs
		}
		p.After = next
	}
}

func TestListPages(t *testing.T) {
	t.Parallel()
	b := open(t)
	for i := range 30 {
		e := entry([]event.RouteID{reports, requests}[i%2], fmt.Sprintf("e%d", i))
		e.State = []event.State{event.Pending, event.Stored, event.Quarantined}[i%3]
		e.Event.Received = start.Add(time.Duration(i) * time.Minute)
		e.Event.EventType = []string{"submitted", "approved"}[i/15]
		b.appends(e, event.Accepted)
	}
	tests := map[string]struct {
		filter event.Filter
		want   func(i int) bool
	}{
		"All":      {event.Filter{}, func(int) bool { return true }},
		"Route":    {event.Filter{Kind: event.Connector, Namespace: "travel", Name: "requests"}, func(i int) bool { return i%2 == 1 }},
		"Name":     {event.Filter{Name: "reports"}, func(i int) bool { return i%2 == 0 }},
		"Nobody":   {event.Filter{Name: "nobody"}, func(int) bool { return false }},
		"Pending":  {event.Filter{State: event.Pending}, func(i int) bool { return i%3 == 0 }},
		"Stored":   {event.Filter{State: event.Stored}, func(i int) bool { return i%3 == 1 }},
		"ID":       {event.Filter{ID: "e17"}, func(i int) bool { return i == 17 }},
		"Type":     {event.Filter{Type: "approved"}, func(i int) bool { return i >= 15 }},
		"FullType": {event.Filter{Type: "com.concur.expense.report.submitted"}, func(int) bool { return true }},
		"Time": {
			event.Filter{Since: start.Add(3 * time.Minute), Until: start.Add(7 * time.Minute)},
			func(i int) bool { return i >= 3 && i < 7 },
		},
		"Both": {
			event.Filter{State: event.Quarantined, Namespace: "travel"},
			func(i int) bool { return i%3 == 2 && i%2 == 1 },
		},
	}
	for name, test := range tests {
		var want []uint64
		for i := range 30 {
			if test.want(i) {
				want = append(want, uint64(i+1))
			}
		}
		for _, limit := range []int{0, 1, 4, 30} {
			if diff := cmp.Diff(want, b.pages(test.filter, event.Page{Limit: limit})); diff != "" {
				t.Errorf("%s by %d (-want +got):\n%s", name, limit, diff)
			}
			newest := b.pages(test.filter, event.Page{Limit: limit, Newest: true})
			slices.Reverse(newest)
			if diff := cmp.Diff(want, newest); diff != "" {
				t.Errorf("%s by %d, newest first (-want +got):\n%s", name, limit, diff)
			}
		}
	}
}

// TestListWhileWriting wants every event that was there before exactly once.
func TestListWhileWriting(t *testing.T) {
	t.Parallel()
	b := open(t)
	for i := range 200 {
		b.appends(sized(reports, int64(i)), event.Accepted)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := int64(200); ctx.Err() == nil; i++ {
			_, _ = b.Append(ctx, sized(reports, i))
		}
	})
	for _, newest := range []bool{false, true} {
		seen := map[uint64]int{}
		for _, seq := range b.pages(event.Filter{Until: start.Add(time.Second)}, event.Page{Limit: 7, Newest: newest}) {
			seen[seq]++
		}
		for seq := uint64(1); seq <= 200; seq++ {
			if seen[seq] != 1 {
				t.Errorf("event %d was listed %d times", seq, seen[seq])
			}
		}
		if !newest {
			cancel() // else the first list might never end
			writer.Wait()
		}
	}
}

// TestTailNeverHoldsUpWriters has one reader that reads and one that does not.
func TestTailNeverHoldsUpWriters(t *testing.T) {
	t.Parallel()
	b := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	slow := b.Tail(ctx)
	const more = 5
	for i := range tailBuffer + more {
		b.appends(sized(reports, int64(i)), event.Accepted)
	}
	for seq := uint64(1); seq <= tailBuffer; seq++ {
		if r := <-slow; r.Seq != seq || r.Missed != 0 || r.Event.Body != nil || r.State != event.Pending {
			t.Fatalf("got %+v, want event %d", r, seq)
		}
	}
	b.appends(entry(reports, "last"), event.Accepted)
	if r := <-slow; r.Event.ID != "last" || r.Missed != more {
		t.Errorf("got %+v, want the last, and %d missed", r, more)
	}
	cancel()
	for range slow {
		t.Error("an event after the end")
	}
}

func TestTailEndsWithTheJournal(t *testing.T) {
	t.Parallel()
	b := open(t)
	tail := b.Tail(t.Context())
	b.close()
	if _, ok := <-tail; ok {
		t.Error("the tail goes on after Close")
	}
}
