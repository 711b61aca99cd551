package journal

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// claims are the events that somebody is delivering. They are kept in memory only, so that a crash gives them back.
type claims struct {
	mu   sync.Mutex
	seqs map[uint64]claim
}

type claim struct {
	route   event.RouteID
	version uint32 // of the status that was claimed
}

func (c *claims) get(seq uint64) (claim, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one, ok := c.seqs[seq]
	return one, ok
}

func (c *claims) release(seqs ...uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, seq := range seqs {
		delete(c.seqs, seq)
	}
}

// Claim returns up to limit events of a route that are due and that nobody has claimed, with their bodies, oldest due
// first, and when the next one becomes due: zero when none waits, past when limit left some. Each must be settled.
func (j *Journal) Claim(id event.RouteID, limit int) (claimed []event.Record, next time.Time, err error) {
	number, ok := j.routes.number(id)
	if !ok || limit <= 0 {
		return nil, time.Time{}, j.unavailable()
	}
	wall := j.clock.wallTime()
	due, after, err := j.take(number, id, limit)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("claiming events of %s: %w", id, err)
	}
	claimed, err = j.deliverable(due, wall)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("claiming events of %s: %w", id, err)
	}
	return claimed, wall(after), nil
}

// take claims what is due. The claims are locked before the transaction begins: a settlement is committed before its
// claim is released, so that an event whose claim is gone is seen as it was settled.
func (j *Journal) take(number uint32, id event.RouteID, limit int) (due []*status, next int64, err error) {
	j.claims.mu.Lock()
	defer j.claims.mu.Unlock()
	now, _ := j.clock.look()
	err = j.view(func(tx *bolt.Tx) error {
		prefix := routeKey(number)
		c := tx.Bucket(bucketDue).Cursor()
		for key, _ := c.Seek(prefix); bytes.HasPrefix(key, prefix); key, _ = c.Next() {
			s := j.unclaimed(tx, key)
			if s == nil {
				continue
			}
			if s.due > nanos(now) || len(due) == limit {
				next = s.due
				return nil
			}
			due = append(due, s)
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	for _, s := range due {
		j.claims.seqs[s.seq] = claim{route: id, version: s.version}
	}
	return due, next, nil
}

// unclaimed is the status that a key of the bucket due belongs to; nil when it is claimed or cannot be delivered.
func (j *Journal) unclaimed(tx *bolt.Tx, key []byte) *status {
	seq := number(key)
	if _, claimed := j.claims.seqs[seq]; claimed || j.damage.has(seq) {
		return nil
	}
	s, err := readStatus(tx, seq)
	switch {
	case err != nil:
		j.found(seq, err)
		return nil
	case s == nil || !s.claimable() || s.due != dueTime(key):
		j.found(seq, fmt.Errorf("%w: event %d is due by an index and not by its state", ErrDamaged, seq))
		return nil
	}
	return s
}

// deliverable reads the events of claims, and gives back those that cannot be read.
func (j *Journal) deliverable(due []*status, wall func(int64) time.Time) (records []event.Record, err error) {
	damaged := map[*status]error{}
	err = j.view(func(tx *bolt.Tx) error {
		for _, s := range due {
			e, err := readEvent(tx, s.seq, true)
			if err != nil {
				damaged[s] = err
				continue
			}
			records = append(records, s.record(e, wall))
		}
		return nil
	})
	if err != nil {
		for _, s := range due {
			j.claims.release(s.seq)
		}
		return nil, err
	}
	for s, why := range damaged {
		j.unreadable(s, why)
	}
	return records, nil
}

// unreadable gives back a claim of an event that cannot be read. If others wait for it, it is dead, or they would wait
// for ever.
func (j *Journal) unreadable(s *status, why error) {
	var err error
	if s.ordered() {
		err = j.submit(context.Background(), statusSize, func(b *batch) error {
			return b.settle(s.seq, s.version, event.Settlement{Error: why.Error()})
		})
	}
	if err == nil { // else it is tried again
		j.found(s.seq, why)
	}
	j.claims.release(s.seq)
}
