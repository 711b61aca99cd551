// Package timing waits by a given clock, so that the emulator's engines pass hours in a test's single step.
package timing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/utils/clock"
)

// ErrTimeout is the cause of a context that [WithTimeout] has ended.
var ErrTimeout = errors.New("no acknowledgement in time")

// Sleep returns at the next change, at the time next if it is set, or when ctx ends.
func Sleep(ctx context.Context, c clock.WithTicker, change <-chan struct{}, next time.Time) {
	var tick <-chan time.Time
	if !next.IsZero() {
		timer := c.NewTimer(next.Sub(c.Now()))
		defer timer.Stop()
		// A clock stepped between the two lines above would otherwise be missed.
		if !c.Now().Before(next) {
			return
		}
		tick = timer.C()
	}
	select {
	case <-ctx.Done():
	case <-change:
	case <-tick:
	}
}

// WithTimeout is [context.WithTimeoutCause] by the clock: after d the context ends with [ErrTimeout] as its
// cause. The caller has to cancel it.
func WithTimeout(ctx context.Context, c clock.WithTicker, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := c.NewTimer(d)
	go func() {
		select {
		case <-timer.C():
			cancel(ErrTimeout)
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		timer.Stop()
		cancel(nil)
	}
}

// Explain returns err, or says that it came about because ctx, made by [WithTimeout] with d, has timed out.
func Explain(ctx context.Context, d time.Duration, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), ErrTimeout) {
		return fmt.Errorf("waiting %v: %w", d, ErrTimeout)
	}
	return err
}
