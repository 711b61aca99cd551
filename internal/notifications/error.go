package notifications

import (
	"errors"
	"strconv"
	"time"
)

// The kinds of failure. Every [*Error] is exactly one of them, or context.Canceled.
var (
	// ErrConfig is a Config that New cannot use.
	ErrConfig = errors.New("configuration not usable")
	// ErrToken is an answer 401 or 403: the token expired, was revoked, or its user lacks the role.
	ErrToken = errors.New("token refused")
	// ErrInvalid is a deletion answered 400, or of a URI that is none: SAP Concur does not know this id's form.
	ErrInvalid = errors.New("refused as malformed")
	// ErrRateLimited is an answer 429.
	ErrRateLimited = errors.New("too many requests")
	// ErrUnavailable is an answer 408 or 5xx.
	ErrUnavailable = errors.New("service unavailable")
	// ErrUnreachable is no whole answer: no connection, no trust, or not in time.
	ErrUnreachable = errors.New("no answer")
	// ErrMalformed is an answer of another shape, or a status that has no meaning here, such as a redirect.
	ErrMalformed = errors.New("answer not understood")
	// ErrHostNotAllowed is an address that Config.AllowURL refuses, or plain http to a host that is not loopback.
	ErrHostNotAllowed = errors.New("host not allowed")
)

// Error is a call that did not succeed. It holds neither the token nor anything
// that differs between two failures of the same cause.
type Error struct {
	// Kind is one of the Err values of this package, or context.Canceled.
	Kind error
	// Op is what was being done, such as "listing failed notifications".
	Op string
	// Status is the HTTP status, zero when no answer arrived.
	Status int
	// Detail says more; it may be empty.
	Detail string
	// RetryAfter is how long the service wants to be left alone, at most one hour; zero unless it said so.
	RetryAfter time.Duration
}

// Error returns operation, kind, detail and status.
func (e *Error) Error() string {
	text := e.Op + ": " + e.Kind.Error()
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.Status != 0 {
		text += " (HTTP " + strconv.Itoa(e.Status) + ")"
	}
	return text
}

// Unwrap gives errors.Is the kind.
func (e *Error) Unwrap() error { return e.Kind }

// RetryAfter returns how long the service that answered err wants to be left alone, zero unless it said so.
func RetryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.RetryAfter
	}
	return 0
}
