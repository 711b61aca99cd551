package journal

import (
	"context"
	"sync"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// signals tell deliverers that something may have become claimable.
type signals struct {
	mu    sync.Mutex
	chans map[event.RouteID]chan struct{}
}

// Changed returns a channel that has a value when something of that route may have become claimable. All who ask for
// one route share one channel, so that only one of them sees each value.
func (j *Journal) Changed(id event.RouteID) <-chan struct{} { return j.signals.of(id) }

func (s *signals) of(id event.RouteID) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.chans[id]
	if c == nil {
		c = make(chan struct{}, 1)
		s.chans[id] = c
	}
	return c
}

func (s *signals) wake(id event.RouteID) { wake(s.of(id)) }

func (s *signals) wakeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.chans {
		wake(c)
	}
}

// tails are those who watch events arrive.
type tails struct {
	mu     sync.Mutex
	open   map[*tail]struct{}
	closed bool
}

type tail struct {
	records chan event.Record
	missed  uint64
}

// tailBuffer is how far a tail may fall behind before it misses events.
const tailBuffer = 256

// Tail returns what is stored from now on, without bodies, in order. A reader that is too slow misses events; the
// next record that it gets says in Missed how many. The channel is closed when ctx ends or the journal closes.
func (j *Journal) Tail(ctx context.Context) <-chan event.Record {
	t := &tail{records: make(chan event.Record, tailBuffer)}
	if !j.tails.add(t) {
		close(t.records)
		return t.records
	}
	context.AfterFunc(ctx, func() { j.tails.remove(t) })
	return t.records
}

func (t *tails) add(one *tail) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.open[one] = struct{}{}
	}
	return !t.closed
}

func (t *tails) remove(one *tail) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.open[one]; ok {
		delete(t.open, one)
		close(one.records)
	}
}

func (t *tails) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for one := range t.open {
		delete(t.open, one)
		close(one.records)
	}
}

func (t *tails) any() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.open) > 0
}

// send never waits.
func (t *tails) send(records []event.Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for one := range t.open {
		for _, r := range records {
			r.Missed = one.missed
			select {
			case one.records <- r:
				one.missed = 0
			default:
				one.missed++
			}
		}
	}
}
