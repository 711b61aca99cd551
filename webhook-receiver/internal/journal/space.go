package journal

import (
	"fmt"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

const (
	// fullPercent of MaxSize may be used by events; the rest is for saying how their delivery ended.
	fullPercent = 95
	// crowdedPercent of MaxSize is where delivered events go early, and relievedPercent where that stops.
	crowdedPercent  = 80
	relievedPercent = 78
)

// space is how much of the file and the disk is used. The writer keeps it; anybody may read it.
type space struct {
	max, reserve int64
	free         func() (int64, error) // of the file system

	used, size atomic.Int64 // pages in use and pages of the file, in bytes
	diskFull   atomic.Bool
}

func (s *space) above(percent int64) bool { return s.used.Load() >= s.max/100*percent }

// full is nil while events may be stored.
func (s *space) full() error {
	if s.above(fullPercent) {
		return fmt.Errorf("%w: %d of %d bytes are used", event.ErrFull, s.used.Load(), s.max)
	}
	free, err := s.free()
	// A file system that cannot say how much is free will say it when a write fails.
	low := err == nil && free < s.reserve
	s.diskFull.Store(low)
	if low {
		return fmt.Errorf("%w: the file system has %d bytes left, and %d are to stay free", event.ErrFull, free, s.reserve)
	}
	return nil
}

// fits is nil if that many bytes more leave the journal below its limit.
func (s *space) fits(size int64) error {
	if s.used.Load()+size >= s.max/100*fullPercent {
		return fmt.Errorf("%w: %d of %d bytes are used, and the event needs %d", event.ErrFull, s.used.Load(), s.max, size)
	}
	return nil
}

// measure reads from bbolt what the last transaction left.
func (j *Journal) measure() {
	var size int64
	err := guard(func() error {
		return j.db.View(func(tx *bolt.Tx) error {
			size = tx.Size()
			return nil
		})
	})
	if err != nil {
		return
	}
	stats := j.db.Stats()
	j.space.size.Store(size)
	j.space.used.Store(size - int64(stats.FreePageN+stats.PendingPageN)*int64(j.db.Info().PageSize))
	if j.space.above(crowdedPercent) {
		wake(j.crowded)
	}
}

// expired reports whether a stored time is longer ago than d.
func expired(now, then int64, d time.Duration) bool { return time.Duration(now-then) >= d }
