package delivery_test

import (
	"sync"
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// memory is a store as the contract of delivery.Queue has it, without a disk.
type memory struct {
	mu      sync.Mutex
	records []*event.Record // in the order of their numbers, from 1
	claimed map[uint64]bool
	changed map[event.RouteID]chan struct{}
	broken  error // what all calls answer, if not nil
	calls   int
	settled []settled
}

// settled is one settlement, and when it came.
type settled struct {
	Seq uint64
	How event.Settlement
	At  time.Time
}

func newMemory() *memory {
	return &memory{claimed: map[uint64]bool{}, changed: map[event.RouteID]chan struct{}{}}
}

// add stores pending events of a route, due now.
func (m *memory) add(id event.RouteID, count int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for range count {
		seq := uint64(len(m.records) + 1)
		m.records = append(m.records, &event.Record{
			Seq: seq, State: event.Pending, Due: time.Now(), Since: time.Now(),
			Event: event.Event{Route: id, ID: "id", Received: time.Now(), Body: []byte("{}")},
		})
	}
	m.signal(id)
}

func (m *memory) Claim(id event.RouteID, limit int) (claimed []event.Record, next time.Time, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	if m.broken != nil {
		return nil, time.Time{}, m.broken
	}
	for {
		r := m.first(id)
		switch {
		case r == nil:
			return claimed, time.Time{}, nil
		case r.Due.After(time.Now()), len(claimed) == limit:
			return claimed, r.Due, nil
		}
		m.claimed[r.Seq] = true
		claimed = append(claimed, *r)
	}
}

// first returns what is due first of what nobody has claimed; nil: there is nothing.
func (m *memory) first(id event.RouteID) *event.Record {
	var first *event.Record
	for _, r := range m.records {
		waits := r.Event.Route == id && (r.State == event.Pending || r.ToDeadLetterSink)
		if waits && (first == nil || r.Due.Before(first.Due)) && !m.claimed[r.Seq] {
			first = r
		}
	}
	return first
}

// replay makes an event pending again, as an administrator does.
func (m *memory) replay(seq uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.find(seq)
	r.State, r.Attempts, r.Due, r.Since = event.Pending, 0, time.Now(), time.Now()
	m.signal(r.Event.Route)
}

// find returns the record of a number; nil: there is none.
func (m *memory) find(seq uint64) *event.Record {
	if seq == 0 || seq > uint64(len(m.records)) {
		return nil
	}
	return m.records[seq-1]
}

func (m *memory) Settle(seq uint64, how event.Settlement) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	if m.broken != nil {
		return m.broken
	}
	r := m.find(seq)
	if r == nil {
		return event.ErrNotFound
	}
	delete(m.claimed, seq)
	m.settled = append(m.settled, settled{Seq: seq, How: how, At: time.Now()})
	if !how.Abandoned {
		m.apply(r, how)
	}
	m.signal(r.Event.Route)
	return nil
}

func (m *memory) apply(r *event.Record, how event.Settlement) {
	r.Attempts++
	r.LastAttempt, r.LastError, r.Due = time.Now(), how.Error, how.RetryAt
	switch {
	case how.ToDeadLetterSink:
		r.State, r.ToDeadLetterSink, r.Attempts, r.Due, r.Since = event.Dead, true, 0, how.RetryAt, time.Now()
	case !how.RetryAt.IsZero():
	case r.ToDeadLetterSink:
		r.ToDeadLetterSink = false
	case how.Error != "":
		r.State = event.Dead
	default:
		r.State = event.Delivered
	}
}

func (m *memory) Changed(id event.RouteID) <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.channel(id)
}

func (m *memory) channel(id event.RouteID) chan struct{} {
	if m.changed[id] == nil {
		m.changed[id] = make(chan struct{}, 1)
	}
	return m.changed[id]
}

func (m *memory) signal(id event.RouteID) {
	select {
	case m.channel(id) <- struct{}{}:
	default:
	}
}

// breakDown makes all calls fail; nil: no longer.
func (m *memory) breakDown(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = err
}

func (m *memory) record(t *testing.T, seq uint64) event.Record {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.find(seq)
	if r == nil {
		t.Fatalf("no event %d", seq)
	}
	return *r
}

// count returns how many events are in a state.
func (m *memory) count(state event.State) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, r := range m.records {
		if r.State == state {
			n++
		}
	}
	return n
}
