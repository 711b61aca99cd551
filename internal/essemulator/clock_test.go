package essemulator

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestClockFollowsTheSystemAtADistance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := NewClock(time.Hour, false)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx) }()
		start := time.Now()
		timer := c.NewTimer(30 * 24 * time.Hour)
		c.Step(30*24*time.Hour - time.Minute)
		select {
		case <-timer.C():
			t.Error("the timer fired a minute early")
		default:
		}
		<-timer.C() // the rest passes by itself
		if passed := time.Since(start); passed < time.Minute || passed > time.Minute+clockGrain {
			t.Errorf("the last minute took %v of the system's time", passed)
		}
		want := time.Hour + 30*24*time.Hour - time.Minute
		if ahead := time.Until(c.Now()); ahead > want || ahead < want-clockGrain {
			t.Errorf("the clock is %v ahead, want %v", ahead, want)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestManualClockStandsStill(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := NewClock(0, true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start := c.Now()
		if err := c.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if got := c.Now().Sub(start); got != 0 {
			t.Errorf("in an hour a manual clock moved by %v", got)
		}
		c.Step(time.Minute)
		if got := c.Now().Sub(start); got != time.Minute {
			t.Errorf("a step of a minute moved it by %v", got)
		}
	})
}

func TestSystemClockSetBackDoesNotTurnTime(t *testing.T) {
	t.Parallel()
	c := NewClock(0, false)
	now := c.Now()
	c.system = func() time.Time { return now.Add(-time.Hour) }
	c.follow()
	if got := c.Now(); got.Before(now) {
		t.Errorf("time went back from %v to %v", now, got)
	}
}
