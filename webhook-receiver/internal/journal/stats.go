package journal

import (
	"bytes"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// Stats returns what the store knows of itself and of each route it has had events of, sorted by route. It works
// while the file does, and without the oldest pending events while it does not.
func (j *Journal) Stats() event.StoreStats {
	s := event.StoreStats{
		Used: j.space.used.Load(), FileSize: j.space.size.Load(), MaxSize: j.options.MaxSize,
		Full: j.space.full() != nil, SyncLatency: j.latency,
	}
	if f := j.failure.Load(); f != nil {
		s.Failed = f.err.Error()
	}
	rows := j.routes.all()
	oldest := j.oldest(rows)
	s.Routes = make([]event.RouteStats, len(rows))
	for i, r := range rows {
		s.Events += r.total()
		s.Routes[i] = event.RouteStats{
			Route: r.Route, Received: r.Received, Pending: r.Counts[codePending],
			DeadLettered: r.Counts[codeDead], Quarantined: r.Counts[codeQuarantined],
			LastEventTime: r.LastEvent, OldestPending: oldest[r.Number],
			LastError: r.LastError, LastErrorTime: r.ErrorTime,
		}
	}
	return s
}

// oldest is when the first pending event of each route arrived, by number of the route.
func (j *Journal) oldest(rows []*row) map[uint32]time.Time {
	oldest := map[uint32]time.Time{}
	err := j.view(func(tx *bolt.Tx) error {
		c := tx.Bucket(bucketIndex).Cursor()
		for _, r := range rows {
			if r.Counts[codePending] == 0 {
				continue
			}
			prefix := indexPrefix(codePending, r.Number)
			key, _ := c.Seek(prefix)
			if !bytes.HasPrefix(key, prefix) {
				continue
			}
			s, err := readStatus(tx, number(key))
			if err != nil {
				j.found(number(key), err)
				continue
			}
			if s != nil {
				oldest[r.Number] = instant(s.received)
			}
		}
		return nil
	})
	if err != nil {
		return nil
	}
	return oldest
}

// count is how many events of a state there are.
func (r *routes) count(state byte) uint64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var n uint64
	for _, one := range r.rows {
		n += one.Counts[state]
	}
	return n
}
