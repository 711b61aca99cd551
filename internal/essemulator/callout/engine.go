package callout

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/ess-operator/ess-operator/internal/essemulator/timing"
)

// maxUnderway bounds the callouts under way to all connectors together.
const maxUnderway = 512

// job is a callout that is to be tried now.
type job struct {
	connector *connector
	callout   *callout
	letter    letter
}

// Run sends what is in the queues until ctx ends, then waits for the attempts under way. An attempt that ctx
// cuts short is not counted.
func (s *Service) Run(ctx context.Context) {
	var attempts sync.WaitGroup
	defer attempts.Wait()
	for ctx.Err() == nil {
		s.mu.Lock()
		start, next := s.due()
		change := s.change
		s.mu.Unlock()
		for _, j := range start {
			attempts.Go(func() { s.attempt(ctx, j) })
		}
		timing.Sleep(ctx, s.clock, change, next)
	}
}

// Settle returns when no callout is under way or due at the present time. It needs [Service.Run] to be
// running. The error is that of ctx.
func (s *Service) Settle(ctx context.Context) error {
	for {
		s.mu.Lock()
		quiet, change := s.quiet(), s.change
		s.mu.Unlock()
		if quiet {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for callouts: %w", ctx.Err())
		case <-change:
		}
	}
}

// head is the callout that a connector sends next, nil if none; s.mu is held. First come, first served: when
// a failure blocks the queue that is the first one, else the first of those that may be tried soonest.
func (c *connector) head(now time.Time, blocking bool) *callout {
	if c.busy || !c.sends() || len(c.queue) == 0 {
		return nil
	}
	first := c.queue[0]
	if blocking {
		return first
	}
	for _, n := range c.queue {
		if !n.NextAttempt.After(now) {
			return n
		}
		if n.NextAttempt.Before(first.NextAttempt) {
			first = n
		}
	}
	return first
}

// due takes what can be sent now and says when the next one can; s.mu is held. The time is zero when nothing
// waits for the clock.
func (s *Service) due() (start []job, next time.Time) {
	now := s.clock.Now()
	for _, c := range s.connectors {
		n := c.head(now, s.assume.Blocking)
		switch {
		case n == nil:
		case n.NextAttempt.After(now):
			if next.IsZero() || n.NextAttempt.Before(next) {
				next = n.NextAttempt
			}
		case s.underway < maxUnderway:
			c.busy = true
			s.underway++
			start = append(start, job{c, n, letter{
				method: http.MethodPost, url: c.endpoint(c.Path), userName: c.UserName, password: c.Password,
				body: n.body, contentType: s.assume.ContentType, timeout: s.assume.Timeout,
			}})
		}
	}
	return start, next
}

// quiet tells whether nothing is under way or due; s.mu is held.
func (s *Service) quiet() bool {
	if s.underway > 0 {
		return false
	}
	now := s.clock.Now()
	for _, c := range s.connectors {
		if n := c.head(now, s.assume.Blocking); n != nil && !n.NextAttempt.After(now) {
			return false
		}
	}
	return true
}

// attempt sends a callout once and decides what becomes of it.
func (s *Service) attempt(ctx context.Context, j job) {
	try := s.send(ctx, j.letter)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.underway--
	j.connector.busy = false
	defer s.changed()
	if ctx.Err() != nil && try.Error != "" {
		return // not the connector's doing
	}
	n := j.callout
	n.Attempts = append(n.Attempts, try)
	switch {
	case s.success(try):
		s.settle(j.connector, n, Delivered)
	case len(n.Attempts) >= s.assume.Attempts:
		s.settle(j.connector, n, GivenUp)
	default:
		n.NextAttempt = s.clock.Now().Add(s.assume.Interval)
	}
}

// success tells whether an answer takes a notification from the queue (SAP Concur, Event Notification: the
// connector returns HTTP 200); s.mu is held.
func (s *Service) success(try Attempt) bool {
	ok := try.Status == http.StatusOK || s.assume.Any2xx && try.Status >= 200 && try.Status < 300
	return ok && try.Error == ""
}
