package session

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/ess-operator/ess-operator/internal/ess"
)

// Why a call was not made. Both come as the cause of an *ess.Error of kind
// ess.ErrRateLimited, whose RetryAfter says when there is a point in trying again.
var (
	// ErrHeld: SAP Concur asked by Retry-After to be left alone for a time that is not over.
	ErrHeld = errors.New("held back until the end of Retry-After")
	// ErrBudget: so many calls wait for the budget that this one would come too late.
	ErrBudget = errors.New("budget used up")
)

// Limit is a budget of calls.
type Limit struct {
	// PerSecond is how many calls a second are allowed in the long run, at least 1.
	PerSecond int
	// Burst is how many calls may be made at once after a rest, at least 1.
	Burst int
}

// Governor decides when calls of one application to one data center are made,
// whichever connection or kind of object they are for. It hands out turns from
// one budget by urgency, and makes no call while a Retry-After is in force.
// Its methods may be called from many goroutines at once.
type Governor struct {
	waited func(Urgency, time.Duration)

	mu     sync.Mutex
	budget budget
	timer  *time.Timer // for the next token; nil when nobody waits
	until  time.Time   // no call is made before
}

// newGovernor tells waited how long each call waited for its turn.
func newGovernor(limit Limit, waited func(Urgency, time.Duration)) *Governor {
	return &Governor{
		waited: waited,
		budget: budget{bucket: rate.NewLimiter(rate.Limit(limit.PerSecond), limit.Burst)},
	}
}

// Transport returns next under the rule of g.
func (g *Governor) Transport(next http.RoundTripper) http.RoundTripper {
	return &governed{governor: g, next: next}
}

// Held is how long no call will be made; zero when calls may be made.
func (g *Governor) Held() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(0, time.Until(g.until))
}

// set changes the limit, also for those who wait.
func (g *Governor) set(limit Limit) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.budget.set(time.Now(), limit)
	g.serve()
}

// admit returns when a call may be made, or why it is not made.
func (g *Governor) admit(ctx context.Context, u Urgency) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	start := time.Now()
	w, err := g.enter(ctx, u)
	if err != nil {
		return err
	}
	select {
	case err := <-w.turn:
		if err == nil {
			g.waited(u, time.Since(start))
		}
		return err
	case <-ctx.Done():
		g.leave(w)
		return ctx.Err()
	}
}

func (g *Governor) enter(ctx context.Context, u Urgency) (*waiter, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if left := g.until.Sub(now); left > 0 {
		return nil, held(left)
	}
	deadline, _ := ctx.Deadline()
	w := newWaiter(now, deadline, u)
	g.budget.enter(w)
	g.serve()
	return w, nil
}

func (g *Governor) leave(w *waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.budget.leave(w)
	g.serve()
}

// serve hands out what the budget has, and comes back for the next token when
// somebody waits for one. The caller holds mu.
func (g *Governor) serve() {
	if g.timer != nil {
		g.timer.Stop()
		g.timer = nil
	}
	if next := g.budget.serve(time.Now()); next > 0 {
		g.timer = time.AfterFunc(next, func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.serve()
		})
	}
}

// hold makes no call for that long, unless a longer hold is in force. Those
// who wait for their turn are sent away, since it would not come in time.
func (g *Governor) hold(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := time.Now().Add(d); until.After(g.until) {
		g.until = until
		g.budget.dismiss(held(d))
		g.serve()
	}
}

// held is the error of a call that is not made during a hold. Its text does
// not name the time, because it goes into conditions.
func held(left time.Duration) error {
	return &ess.Error{
		Kind: ess.ErrRateLimited, RetryAfter: left, Cause: ErrHeld,
		Detail: "SAP Concur asked to be left alone for a while, so that the call was not made",
	}
}

// tooLate is the error of a call whose turn would come after its deadline.
func tooLate(wait time.Duration) error {
	return &ess.Error{
		Kind: ess.ErrRateLimited, RetryAfter: wait, Cause: errors.Join(ErrBudget, context.DeadlineExceeded),
		Detail: "too many calls of this application wait for its own budget, so that the call was not made",
	}
}
