package essemulator

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ess-operator/ess-operator/internal/essemulator/timing"
)

// maxUnderway bounds the deliveries under way of all subscriptions together.
const maxUnderway = 512

// Run delivers published events and notifications until ctx ends, then waits for the attempts under way and
// returns nil. An attempt that ctx cuts short is not counted. Run may be called again afterwards, but not twice at a time:
// the error is then [ErrRunning].
func (e *Emulator) Run(ctx context.Context) error {
	if !e.running.CompareAndSwap(false, true) {
		return fmt.Errorf("running the delivery engine: %w", ErrRunning)
	}
	defer e.running.Store(false)
	var attempts sync.WaitGroup
	defer attempts.Wait()
	attempts.Go(func() { e.callouts.Run(ctx) })
	for ctx.Err() == nil {
		e.mu.Lock()
		start, next := e.due()
		change := e.change
		e.mu.Unlock()
		for _, d := range start {
			attempts.Go(func() { e.attempt(ctx, d) })
		}
		timing.Sleep(ctx, e.clock, change, next)
	}
	return nil
}

// Settle returns when no delivery and no callout is under way or due at the present time: whatever is left
// waits for a later attempt. It needs [Emulator.Run] to be running. The error is that of ctx.
func (e *Emulator) Settle(ctx context.Context) error {
	for {
		e.mu.Lock()
		quiet, change := e.quiet(), e.change
		e.mu.Unlock()
		if quiet {
			return e.callouts.Settle(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for deliveries: %w", ctx.Err())
		case <-change:
		}
	}
}

// attempt tries one delivery once and decides what becomes of it.
func (e *Emulator) attempt(ctx context.Context, d *delivery) {
	parcel, ok := e.pack(d)
	if !ok {
		return
	}
	try := Attempt{Time: e.clock.Now(), Endpoint: parcel.endpoint}
	got := e.post(ctx, parcel)
	e.mu.Lock()
	defer e.mu.Unlock()
	if ctx.Err() != nil && got.err != nil {
		e.release(d, true) // not the endpoint's doing
		return
	}
	if try.Status = got.status; got.err != nil {
		try.Error = got.err.Error()
	}
	if len(d.Attempts) >= maxAttempts {
		d.Attempts = d.Attempts[1:]
	}
	d.Attempts = append(d.Attempts, try)
	d.tries++
	e.conclude(d, got)
}

// pack takes what is needed for an attempt, or settles a delivery that cannot have one.
func (e *Emulator) pack(d *delivery) (parcel, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweep()
	sub, ok := e.subs[d.SubscriptionID]
	switch {
	case !e.clock.Now().Before(e.expiry(d)):
		e.settle(d, Expired)
	case !ok:
		e.settle(d, Lost)
	default:
		return parcel{
			endpoint: sub.Endpoint, correlationID: d.CorrelationID, body: d.body,
			key: e.keys.Webhook, padding: e.assume.Padding, signature: e.disguise.Signature,
			timeout: e.assume.AckTimeout,
		}, true
	}
	e.release(d, false)
	return parcel{}, false
}

// conclude judges an attempt; e.mu is held.
func (e *Emulator) conclude(d *delivery, got response) {
	now, again := e.clock.Now(), false
	verdict := judge(got.status, got.err != nil, &e.assume)
	e.noteHealth(d.SubscriptionID, verdict == accepted)
	switch {
	case verdict == accepted && d.repeat:
		d.repeat, d.NextAttempt, again = false, now, true
	case verdict == accepted:
		e.settle(d, Delivered)
	case verdict == giveUp:
		e.settle(d, Lost)
	default:
		pause := backoff(d.tries, &e.assume)
		if e.assume.HonourRetryAfter {
			pause = max(pause, got.retryAfter)
		}
		d.NextAttempt, again = earlier(now.Add(pause), e.expiry(d)), true
	}
	e.release(d, again)
}

// release ends the time under way; e.mu is held.
func (e *Emulator) release(d *delivery, again bool) {
	e.underway--
	e.lanes[d.SubscriptionID].underway--
	if again {
		e.await(d)
	}
	e.changed()
}

// noteHealth keeps what the removal after 30 days is decided by; e.mu is held.
func (e *Emulator) noteHealth(id string, success bool) {
	sub, ok := e.subs[id]
	switch now := e.clock.Now(); {
	case !ok:
	case success:
		sub.LastSuccess, sub.FailingSince = now, time.Time{}
	case sub.FailingSince.IsZero():
		sub.FailingSince = now
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
