package session

import (
	"context"
	"fmt"
	"net/http"

	"golang.org/x/time/rate"
)

// Budget is an http.RoundTripper that spends one token of a bucket on every
// request and waits for it, within the request's context.
type Budget struct {
	limiter *rate.Limiter
	next    http.RoundTripper
}

// NewBudget limits next to perSecond requests a second with bursts of burst.
func NewBudget(next http.RoundTripper, perSecond, burst int) *Budget {
	return &Budget{limiter: rate.NewLimiter(rate.Limit(perSecond), burst), next: next}
}

// RoundTrip implements http.RoundTripper.
func (b *Budget) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := b.limiter.Wait(r.Context()); err != nil {
		// The limiter refuses at once when the wait would outlast the deadline.
		return nil, fmt.Errorf("waiting for the budget of calls to Concur: %w", context.DeadlineExceeded)
	}
	return b.next.RoundTrip(r)
}
