package journal

import (
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// longestDowntime is how much of the time between two runs counts. Ages are what removes events and forgets ids, so
// that a machine that starts with a wrong date may cost a day of each window, and not all.
const longestDowntime = 24 * time.Hour

// storeClock is time as the journal counts it: it never goes back, and while the process runs it goes by the
// monotonic clock, so that setting the wall clock changes no age and no delay. Stored ages and due times are in
// this time; people see wall time.
type storeClock struct {
	clock clock.PassiveClock

	mu   sync.Mutex
	now  time.Time // store time when last looked at
	wall time.Time // and the wall clock then, with its monotonic reading
}

// newStoreClock goes on from the store time that the file has, zero when it is new.
func newStoreClock(c clock.PassiveClock, stored time.Time) *storeClock {
	wall := c.Now()
	now := wall.Round(0)
	switch {
	case stored.IsZero():
	case now.Before(stored):
		now = stored
	case now.After(stored.Add(longestDowntime)):
		now = stored.Add(longestDowntime)
	}
	return &storeClock{clock: c, now: now, wall: wall}
}

// look returns store time and wall time of one moment.
func (c *storeClock) look() (now, wall time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall = c.clock.Now()
	// Sub takes the monotonic readings where there are any. Without, back is where a clock was set back.
	if passed := wall.Sub(c.wall); passed > 0 {
		c.now = c.now.Add(passed)
	}
	c.wall = wall
	return c.now, wall
}

// wallTime turns stored times into what the wall clock shows then, as it goes now.
func (c *storeClock) wallTime() func(int64) time.Time {
	now, wall := c.look()
	off := wall.Round(0).Sub(now)
	return func(n int64) time.Time {
		if n == 0 {
			return time.Time{}
		}
		return instant(n).Add(off)
	}
}
