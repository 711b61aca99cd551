package essemulator

import (
	"context"
	"sync"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

// Clock is a clock that can be pushed forward: thirty days pass in one call of [Clock.Step]. It either
// follows the system clock at the distance gained that way, or stands still between steps.
type Clock struct {
	*clocktesting.FakeClock
	manual bool

	mu     sync.Mutex // guards ahead, and keeps steps and ticks apart
	ahead  time.Duration
	system func() time.Time
}

// clockGrain is how exactly a running Clock follows the system's.
const clockGrain = 10 * time.Millisecond

// NewClock returns a clock that starts ahead of the system's by that much. A manual one moves only when
// stepped; any other needs [Clock.Run].
func NewClock(ahead time.Duration, manual bool) *Clock {
	c := &Clock{manual: manual, ahead: ahead, system: time.Now}
	c.FakeClock = clocktesting.NewFakeClock(c.system().UTC().Add(ahead))
	return c
}

// Step pushes the clock forward and fires what falls due.
func (c *Clock) Step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
	c.FakeClock.Step(d)
}

// Run makes the clock follow the system's until ctx ends. A manual clock stands still.
func (c *Clock) Run(ctx context.Context) error {
	if c.manual {
		<-ctx.Done()
		return nil
	}
	ticker := time.NewTicker(clockGrain)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			c.follow()
		}
	}
}

func (c *Clock) follow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	// A system clock set back must not make tokens younger.
	if now := c.system().UTC().Add(c.ahead); now.After(c.Now()) {
		c.SetTime(now)
	}
}
