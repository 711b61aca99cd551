package ess

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// The kinds of failure. Every [*Error] is exactly one of them, or context.Canceled.
var (
	// ErrConfig is a Config that New cannot use.
	ErrConfig = errors.New("configuration not usable")
	// ErrInvalid is a request that ESS or the token service calls wrong (HTTP 400), or an id that could not be sent.
	ErrInvalid = errors.New("request refused as invalid")
	// ErrUnauthorized is a read answered 401 or 403, or any call answered 401, with a fresh token too. The application
	// most likely lacks the scope events.topic.read.
	ErrUnauthorized = errors.New("token refused")
	// ErrForbidden is a call about one subscription answered 403 with a fresh token too: ESS knows the application but
	// refuses this.
	ErrForbidden = errors.New("not allowed to this application")
	// ErrNotFound says that ESS has no such subscription under this application. Only Subscription returns it.
	ErrNotFound = errors.New("no such subscription")
	// ErrTaken is an id that someone else uses; ESS has one namespace of ids for all applications.
	ErrTaken = errors.New("subscription id taken")
	// ErrQuota is one subscription more than the application may have.
	ErrQuota = errors.New("subscription limit reached")
	// ErrRateLimited is an answer 429.
	ErrRateLimited = errors.New("too many requests")
	// ErrUnavailable is an answer 408 or 5xx, or a 400 that speaks of overload (Patterns.Busy).
	ErrUnavailable = errors.New("service unavailable")
	// ErrCredentials is a token service that refuses the application: wrong id or secret, disabled, other data center.
	ErrCredentials = errors.New("credentials refused")
	// ErrTimeout is no complete answer within the time allowed.
	ErrTimeout = errors.New("no answer in time")
	// ErrTLS is a TLS handshake that failed, mostly for a certificate that is not trusted.
	ErrTLS = errors.New("no trusted connection")
	// ErrDNS is a host name that could not be resolved.
	ErrDNS = errors.New("host name not resolved")
	// ErrConnect is a connection refused, reset or broken in another way.
	ErrConnect = errors.New("no connection")
	// ErrMalformed is an answer of the wrong shape or with a status that has no meaning here, such as a redirect.
	ErrMalformed = errors.New("answer not understood")
	// ErrTooLarge is a successful answer of more than 1 MiB.
	ErrTooLarge = errors.New("answer too large")
	// ErrHostNotAllowed is an address that Config.AllowURL refuses, or plain http to a host that is not loopback.
	ErrHostNotAllowed = errors.New("host not allowed")
)

// Error is a call that did not succeed. It holds neither secrets nor, apart from CorrelationID, anything
// that differs between two failures of the same cause, so its text may go into a condition.
type Error struct {
	// Kind is one of the Err values of this package, or context.Canceled.
	Kind error
	// Op is what was being done, such as "reading subscription acme.reports".
	Op string
	// Status is the HTTP status, zero when no answer arrived.
	Status int
	// Code is the number in an error of the token service ("SAP Concur, Authentication, Response Codes"), else zero.
	Code int
	// RetryAfter is how long the service wants to be left alone, at most one hour; zero unless it said so.
	RetryAfter time.Duration
	// Detail is what the service or the network said: one line, at most 256 runes, scrubbed. It may be empty.
	Detail string
	// CorrelationID names the exchange to Concur's support. It differs every time, so it is not part of the text.
	CorrelationID string
	// Cause is what the transport or Config.AllowURL returned, nil when the service answered.
	Cause error
}

// Error returns operation, kind, detail and status, such as
// "reading subscription acme.reports: no such subscription (HTTP 404)". It is the same for the same failure.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Kind != nil {
		b.WriteString(": ")
		b.WriteString(e.Kind.Error())
	}
	if e.Detail != "" {
		b.WriteString(": ")
		b.WriteString(e.Detail)
	}
	if e.Status != 0 {
		b.WriteString(" (HTTP ")
		b.WriteString(strconv.Itoa(e.Status))
		if e.Code != 0 {
			b.WriteString(", code ")
			b.WriteString(strconv.Itoa(e.Code))
		}
		b.WriteString(")")
	}
	return b.String()
}

// Unwrap gives errors.Is the kind, and the cause for transports with errors of their own.
func (e *Error) Unwrap() []error {
	wrapped := make([]error, 0, 2)
	for _, err := range []error{e.Kind, e.Cause} {
		if err != nil {
			wrapped = append(wrapped, err)
		}
	}
	return wrapped
}

// CorrelationID returns the correlation id of the exchange that err is about, or "".
func CorrelationID(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.CorrelationID
	}
	return ""
}

// RetryAfter returns how long the service that answered err wants to be left alone, zero unless it said so.
func RetryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.RetryAfter
	}
	return 0
}
