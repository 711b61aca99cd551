package delivery

import (
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

// The bounds of delays.
const (
	maxDelay          = 24 * time.Hour  // keeps "retry: 30" within this lifetime
	maxUnlimitedDelay = 5 * time.Minute // without "retry": how long a sink that is back may wait for its events
	maxRetryAfter     = time.Hour       // of what a sink may ask for
	minHold           = time.Hour       // how long a sink has to be down before it costs events their retries
	leastRetries      = 10              // without "retry": of an event that waited for a sink until its time was over
)

// policy decides about retries. It is pure, but for its jitter.
type policy struct {
	retention time.Duration
	jitter    func(time.Duration) time.Duration // a random part of a duration
}

// backoff is the longest time to wait before the n-th retry, n from 1 (Knative, "DeliverySpec": backoffDelay times n,
// or times 2 to the n).
func backoff(d route.Delivery, n int) time.Duration {
	limit := maxDelay
	if d.Retries < 0 {
		limit = maxUnlimitedDelay
	}
	factor := int64(n)
	if d.BackoffPolicy == route.Exponential {
		factor = 1 << min(n, 62)
	}
	if d.BackoffDelay <= 0 {
		return 0
	}
	if factor > int64(limit/d.BackoffDelay) {
		return limit
	}
	return d.BackoffDelay * time.Duration(factor)
}

// settle says what becomes of an event whose attempt has just failed: when it is tried again, or that it is dead.
func (p policy) settle(d route.Delivery, r event.Record, f failure, now time.Time) event.Settlement {
	dead := event.Settlement{Error: f.text}
	n := r.Attempts + 1 // the retry that would come now
	// Without a number of retries, an event has its time; a replay and the dead letter sink give it as much anew.
	deadline := r.Since.Add(p.retention)
	inTime := now.Before(deadline)
	switch {
	case f.final:
		return dead
	case d.Retries >= 0 && n > d.Retries:
		return dead
	case d.Retries < 0 && !inTime && n > leastRetries:
		return dead
	}
	at := now.Add(max(p.jitter(backoff(d, n)), min(f.wait, maxRetryAfter)))
	if d.Retries < 0 && inTime && at.After(deadline) {
		at = deadline // the last one
	}
	return event.Settlement{Error: f.text, RetryAt: at}
}

// over reports whether an event that is held back because its sink has been down since then would be dead by now, had
// it been tried all the time.
func (p policy) over(d route.Delivery, r event.Record, since, now time.Time) bool {
	switch {
	case now.Sub(since) < minHold || now.Sub(r.Since) < minHold:
		return false
	case d.Retries < 0:
		return !now.Before(r.Since.Add(p.retention))
	}
	if r.Due.After(since) {
		since = r.Due
	}
	held := now.Sub(since)
	held -= d.Timeout // of the attempt that is due
	for n := r.Attempts + 1; n <= d.Retries && held >= 0; n++ {
		held -= backoff(d, n) + d.Timeout
	}
	return held >= 0
}
