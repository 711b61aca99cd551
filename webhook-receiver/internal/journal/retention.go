package journal

import (
	"context"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// removeBatch is how many events one transaction removes, so that appends do not wait long for it.
const removeBatch = 256

// chore removes some of what is past its time and reports whether there may be more.
type chore func(context.Context) (more bool, err error)

// keepHouse does each chore until nothing is left of it. Pending events stay, however old.
func (j *Journal) keepHouse(ctx context.Context, chores ...chore) {
	for _, some := range chores {
		for more := true; more && ctx.Err() == nil; {
			var err error
			if more, err = some(ctx); err != nil {
				if j.failure.Load() == nil && ctx.Err() == nil {
					j.options.Logger.Error("removing old events from the journal", "error", err)
				}
				return
			}
		}
	}
}

// expiry removes events that are older than the retention. Dead ones count from their death: somebody must have the
// time to replay them.
type expiry struct {
	j    *Journal
	from uint64 // where the search goes on: what it has passed stays, and may be a large backlog
}

// some is a chore.
func (e *expiry) some(ctx context.Context) (more bool, err error) {
	j := e.j
	now, _ := j.clock.look()
	var seqs []uint64
	err = j.walkStates(e.from, func(s *status) bool {
		if !expired(nanos(now), s.arrived, j.options.Retention) {
			return false
		}
		e.from = s.seq + 1
		if j.old(s, nanos(now)) {
			seqs = append(seqs, s.seq)
		}
		return len(seqs) < removeBatch
	})
	if err != nil || len(seqs) == 0 {
		return false, err
	}
	err = j.removeSome(ctx, seqs, "age", func(b *batch, s *status) bool { return j.old(s, b.now) })
	return len(seqs) == removeBatch, err
}

// old reports whether an event is past its time.
func (j *Journal) old(s *status, now int64) bool {
	from := s.arrived
	if s.state == codeDead {
		from = s.since
	}
	return s.state != codePending && expired(now, from, j.options.Retention)
}

// relieve removes some of the oldest delivered events, or else of those that are kept for reading only, when the file
// is crowded.
func (j *Journal) relieve(ctx context.Context) (more bool, err error) {
	from := j.early.Load()
	if !j.space.above(relievedPercent) || from == 0 && !j.space.above(crowdedPercent) {
		j.early.Store(0)
		return false, nil
	}
	state := codeDelivered
	if j.routes.count(state) == 0 {
		state = codeStored
	}
	var seqs []uint64
	if j.routes.count(state) > 0 {
		err = j.walkStates(from, func(s *status) bool {
			if s.state == state {
				seqs = append(seqs, s.seq)
			}
			return len(seqs) < removeBatch
		})
	}
	if err != nil || len(seqs) == 0 {
		// What was passed over may have been delivered since.
		j.early.Store(1)
		return from > 1, err
	}
	j.early.Store(seqs[len(seqs)-1] + 1)
	return true, j.removeSome(ctx, seqs, "space", func(_ *batch, s *status) bool { return s.state == state })
}

// walkStates calls visit for each event from a seq on, oldest first, until it returns false.
func (j *Journal) walkStates(from uint64, visit func(*status) bool) error {
	for more := true; more; {
		err := j.view(func(tx *bolt.Tx) error {
			c := tx.Bucket(bucketState).Cursor()
			key, sealed := c.Seek(seqKey(from))
			for range 10_000 {
				if key == nil {
					more = false
					return nil
				}
				from = number(key) + 1
				s, err := openStatus(sealed, number(key))
				if err != nil {
					j.found(number(key), err)
				} else if !visit(s) {
					more = false
					return nil
				}
				key, sealed = c.Next()
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// removal is what is told about removed events of one route.
type removal struct {
	state   event.State
	route   event.RouteID
	reason  string
	events  int
	first   uint64
	last    uint64
	arrived time.Time // of the oldest, wall time
}

// removeSome removes those that may still go when their turn comes, and tells of each that was not delivered.
func (j *Journal) removeSome(ctx context.Context, seqs []uint64, reason string, still func(*batch, *status) bool) error {
	var removed []*removal
	err := j.submit(ctx, len(seqs)*statusSize, func(b *batch) error {
		told := map[event.RouteID]map[byte]*removal{}
		for _, seq := range seqs {
			s := b.status(seq)
			if s == nil || !still(b, s) {
				continue
			}
			b.change(s, nil)
			b.remove(b.events, seqKey(seq))
			removed = b.tell(removed, told, s, reason)
		}
		return nil
	})
	if err != nil {
		return err
	}
	j.report(removed)
	return nil
}

// tell adds an event to the removal of its route and state.
func (b *batch) tell(removed []*removal, told map[event.RouteID]map[byte]*removal, s *status, reason string) []*removal {
	var route event.RouteID
	if r := b.row(s.route); r != nil {
		route = r.Route
	}
	if told[route] == nil {
		told[route] = map[byte]*removal{}
	}
	r := told[route][s.state]
	if r == nil {
		r = &removal{state: states[s.state], route: route, reason: reason, first: s.seq, arrived: instant(s.received)}
		told[route][s.state] = r
		removed = append(removed, r)
	}
	r.events++
	r.last = s.seq
	return removed
}

// report counts what was removed; what nobody got is logged besides.
func (j *Journal) report(removed []*removal) {
	for _, r := range removed {
		j.metrics.removed.WithLabelValues(string(r.state), r.reason).Add(float64(r.events))
		if r.state == event.Delivered {
			continue
		}
		j.options.Logger.Warn("removed events that were never delivered", "state", r.state, "route", r.route.String(),
			"events", r.events, "reason", r.reason, "firstSeq", r.first, "lastSeq", r.last, "oldestReceived", r.arrived)
	}
}

// forget removes some ids that are older than the window; of two windows the longer one, because ids are kept in the
// order of their arrival, whatever brought them.
func (j *Journal) forget(ctx context.Context) (more bool, err error) {
	now, _ := j.clock.look()
	window := max(j.options.DedupeWindow, j.options.CalloutDedupeWindow)
	var old []uint64
	err = j.view(func(tx *bolt.Tx) error {
		c := tx.Bucket(bucketIDLog).Cursor()
		for key, sealed := c.First(); key != nil && len(old) < removeBatch; key, sealed = c.Next() {
			s, err := openSeen(sealed, number(key))
			if err == nil && !expired(nanos(now), s.arrived, window) {
				return nil
			}
			old = append(old, number(key))
		}
		return nil
	})
	if err != nil || len(old) == 0 {
		return false, err
	}
	err = j.submit(ctx, len(old)*headerSize, func(b *batch) error {
		for _, seq := range old {
			b.forget(seq)
		}
		return nil
	})
	return len(old) == removeBatch, err
}

func (b *batch) forget(seq uint64) {
	s, err := openSeen(b.idlog.Get(seqKey(seq)), seq)
	if err == nil {
		// The id may have arrived again after the window.
		if known, _, ok := readIDValue(b.ids.Get(s.id[:])); ok && known == seq {
			b.remove(b.ids, s.id[:])
		}
	}
	b.remove(b.idlog, seqKey(seq))
}
