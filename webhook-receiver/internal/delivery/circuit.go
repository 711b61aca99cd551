package delivery

import (
	"sync"
	"time"
)

// The numbers of a circuit.
const (
	failuresToOpen = 5                // in a row: fewer are everyday life, more are wasted
	firstPause     = time.Second      // before the first probe
	longestPause   = 30 * time.Second // how long a sink that is back may go unnoticed
)

// permit is what a circuit says to an attempt.
type permit int

const (
	wait  permit = iota // the sink is down, and it is not yet time to look again
	probe               // the sink is down, and this attempt finds out whether it still is
	free                // all is well
)

// circuit knows whether a sink is down. It may be used from many goroutines at once.
type circuit struct {
	jitter func(time.Duration) time.Duration
	told   func(down bool, f failure) // called, with the lock held, when that has changed

	mu       sync.Mutex
	failures int       // in a row
	since    time.Time // when it opened; zero: closed
	probing  bool
	probes   int       // failed ones in a row
	next     time.Time // when the next probe may begin
}

// ask says what an attempt may do now; with wait, the time says when to ask again, zero while a probe is under way.
func (c *circuit) ask(now time.Time) (permit, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.look(now)
}

// take is ask by an attempt that follows the answer at once: a probe is now under way, and must be reported.
func (c *circuit) take(now time.Time) permit {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, _ := c.look(now)
	c.probing = c.probing || p == probe
	return p
}

func (c *circuit) look(now time.Time) (permit, time.Time) {
	switch {
	case c.since.IsZero():
		return free, time.Time{}
	case c.probing:
		return wait, time.Time{}
	case now.Before(c.next):
		return wait, c.next
	}
	return probe, time.Time{}
}

// openSince returns when the sink was found to be down; zero: it is not.
func (c *circuit) openSince() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.since
}

// report tells how an attempt ended: f is nil when the sink took the event.
func (c *circuit) report(p permit, f *failure, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p == probe {
		c.probing = false
	}
	if f == nil || !f.down {
		c.close()
		return
	}
	c.failures++
	switch open := !c.since.IsZero(); {
	case !open && c.failures >= failuresToOpen:
		c.since = now
		c.pause(*f, now)
		c.told(true, *f)
	case open && p == probe:
		c.probes++
		c.pause(*f, now)
	}
}

// giveUp tells that an attempt ended without finding out anything.
func (c *circuit) giveUp(p permit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p == probe {
		c.probing = false
	}
}

func (c *circuit) close() {
	wasOpen := !c.since.IsZero()
	c.failures, c.probes, c.since, c.next = 0, 0, time.Time{}, time.Time{}
	if wasOpen {
		c.told(false, failure{})
	}
}

// pause sets when the next probe may begin. Half of the pause is random, so that routes to one sink do not meet there.
func (c *circuit) pause(f failure, now time.Time) {
	length := longestPause
	if c.probes < 10 { // beyond, the shift says nothing new
		length = min(firstPause<<c.probes, longestPause)
	}
	length = length/2 + c.jitter(length/2)
	c.next = now.Add(max(length, min(f.wait, maxRetryAfter)))
}
