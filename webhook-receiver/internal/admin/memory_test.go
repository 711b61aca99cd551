package admin_test

import (
	"context"
	"slices"
	"sync"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// memory is a store that keeps the promises of the real one, without a disk.
type memory struct {
	mu      sync.Mutex
	records []event.Record // the one of Seq n is at n-1
	stats   event.StoreStats
	broken  error                        // what writes answer
	tails   map[chan event.Record]uint64 // how many each has missed
}

func (m *memory) add(e event.Event, s event.State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := event.Record{Seq: uint64(len(m.records) + 1), Event: e, State: s}
	m.records = append(m.records, r)
	for c, missed := range m.tails {
		r.Missed = missed
		select {
		case c <- r:
			m.tails[c] = 0
		default: // it reads too slowly
			m.tails[c]++
		}
	}
}

// Get returns a record.
func (m *memory) Get(seq uint64) (event.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if seq == 0 || seq > uint64(len(m.records)) {
		return event.Record{}, event.ErrNotFound
	}
	return m.records[seq-1], nil
}

// List returns a page. As in the real one, a page may be short while there is more: this one looks at three
// records at the most, unless 1000 are wanted.
func (m *memory) List(f event.Filter, p event.Page) ([]event.Record, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	order := slices.Clone(m.records)
	if p.Newest {
		slices.Reverse(order)
	}
	if p.After != 0 {
		at := slices.IndexFunc(order, func(r event.Record) bool { return r.Seq == p.After })
		order = order[at+1:]
	}
	var page []event.Record
	for i, r := range order {
		if len(page) == p.Limit || i == 3 && p.Limit < 1000 {
			return page, order[i-1].Seq, nil
		}
		if f.Matches(r) {
			r.Event.Body = nil
			page = append(page, r)
		}
	}
	return page, 0, nil
}

// Stats returns what the test has set, and the number of events.
func (m *memory) Stats() event.StoreStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stats
	s.Events = uint64(len(m.records))
	return s
}

func (m *memory) setStats(s event.StoreStats) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stats = s
}

// Replay makes a record pending.
func (m *memory) Replay(seq uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return m.broken
	}
	if seq == 0 || seq > uint64(len(m.records)) {
		return event.ErrNotFound
	}
	m.records[seq-1].State = event.Pending
	m.records[seq-1].Replays++
	return nil
}

// ReplayAll makes records pending until the store breaks.
func (m *memory) ReplayAll(ctx context.Context, f event.Filter) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for i := range m.records {
		if r := &m.records[i]; r.State != event.Pending && f.Matches(*r) {
			if m.broken != nil && n > 0 {
				return n, m.broken
			}
			r.State = event.Pending
			n++
		}
	}
	return n, ctx.Err()
}

// Tail shows what is added from now on.
func (m *memory) Tail(ctx context.Context) <-chan event.Record {
	c := make(chan event.Record, 256)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tails == nil {
		m.tails = map[chan event.Record]uint64{}
	}
	m.tails[c] = 0
	context.AfterFunc(ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.tails, c)
		close(c)
	})
	return c
}
