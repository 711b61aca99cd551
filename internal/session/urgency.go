package session

import (
	"context"
	"net/http"
	"time"
)

// Urgency says who goes first when several calls of an application wait for
// its budget.
type Urgency int

// The urgencies. A context without one has Change.
const (
	// Delete is for what goes: an object, or a whole namespace, hangs until it is done.
	Delete Urgency = iota
	// Change is for what a person has just asked for.
	Change
	// Resync is for looking again at what has probably not changed.
	Resync
)

// String is the urgency as a word, for metrics.
func (u Urgency) String() string {
	switch u {
	case Delete:
		return "delete"
	case Resync:
		return "resync"
	default:
		return "change"
	}
}

// grace is how much earlier than a deletion a call of this urgency must have
// come to go before it. That is also how it ages: nobody waits for those who
// came after its grace was over. The longest grace is well below the time of
// one call (ess.DefaultTimeout), or a resync would give up before its turn.
func (u Urgency) grace() time.Duration {
	switch u {
	case Delete:
		return 0
	case Resync:
		return 8 * time.Second
	default:
		return 2 * time.Second
	}
}

type urgencyKey struct{}

// WithUrgency returns a context whose calls wait for the budget with urgency u.
func WithUrgency(ctx context.Context, u Urgency) context.Context {
	return context.WithValue(ctx, urgencyKey{}, u)
}

// urgencyOf is the urgency of a request.
func urgencyOf(r *http.Request) Urgency {
	if r.Header.Get("Authorization") == "" {
		return Delete // it asks for the token, which all others wait for, deletions too
	}
	if u, ok := r.Context().Value(urgencyKey{}).(Urgency); ok {
		return u
	}
	return Change
}
