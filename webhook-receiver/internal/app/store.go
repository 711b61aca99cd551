package app

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/journal"
)

// store is the journal, once it is open. Until then it answers that it is not available, so that both
// ports can be served while the journal of a large file opens, or while an older process still holds it.
type store struct {
	journal atomic.Pointer[journal.Journal]
}

// errNotOpen is an event.ErrUnavailable.
var errNotOpen = fmt.Errorf("%w: the journal is not open yet", event.ErrUnavailable)

func (s *store) open() (*journal.Journal, error) {
	if j := s.journal.Load(); j != nil {
		return j, nil
	}
	return nil, errNotOpen
}

// Append stores an event.
func (s *store) Append(ctx context.Context, e event.Entry) (event.Outcome, error) {
	j, err := s.open()
	if err != nil {
		return "", err
	}
	return j.Append(ctx, e)
}

// Get returns one event.
func (s *store) Get(seq uint64) (event.Record, error) {
	j, err := s.open()
	if err != nil {
		return event.Record{}, err
	}
	return j.Get(seq)
}

// List returns a page of events.
func (s *store) List(f event.Filter, p event.Page) ([]event.Record, uint64, error) {
	j, err := s.open()
	if err != nil {
		return nil, 0, err
	}
	return j.List(f, p)
}

// Stats returns what the journal knows of itself.
func (s *store) Stats() event.StoreStats {
	j, err := s.open()
	if err != nil {
		return event.StoreStats{Failed: "the journal is not open yet"}
	}
	return j.Stats()
}

// Replay makes one event pending.
func (s *store) Replay(seq uint64) error {
	j, err := s.open()
	if err != nil {
		return err
	}
	return j.Replay(seq)
}

// ReplayAll makes pending all that a filter selects.
func (s *store) ReplayAll(ctx context.Context, f event.Filter) (int, error) {
	j, err := s.open()
	if err != nil {
		return 0, err
	}
	return j.ReplayAll(ctx, f)
}

// Tail shows what is stored from now on; before the journal is open, nothing.
func (s *store) Tail(ctx context.Context) <-chan event.Record {
	if j, err := s.open(); err == nil {
		return j.Tail(ctx)
	}
	ended := make(chan event.Record)
	close(ended)
	return ended
}

// Claim takes events that are due.
func (s *store) Claim(id event.RouteID, limit int) ([]event.Record, time.Time, error) {
	j, err := s.open()
	if err != nil {
		return nil, time.Time{}, err
	}
	return j.Claim(id, limit)
}

// Settle stores how an attempt ended.
func (s *store) Settle(seq uint64, how event.Settlement) error {
	j, err := s.open()
	if err != nil {
		return err
	}
	return j.Settle(seq, how)
}

// Changed tells of events that may have become due; before the journal is open, of none.
func (s *store) Changed(id event.RouteID) <-chan struct{} {
	if j, err := s.open(); err == nil {
		return j.Changed(id)
	}
	return nil
}
