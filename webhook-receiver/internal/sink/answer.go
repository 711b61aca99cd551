package sink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// maxRetryAfter keeps what a header names within what a duration can hold; callers bound it further.
const maxRetryAfter = 365 * 24 * time.Hour

// retryAfter reads the header Retry-After: seconds, or a date (RFC 9110, 10.2.3). Zero: absent, past or not readable.
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return max(0, min(date.Sub(now), maxRetryAfter))
}

func statusText(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}

// unanswered says why there was no answer. What net/http says names the URI with its query, so only what is behind
// that is used.
func unanswered(ctx context.Context, host string, err error) *Error {
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	failure := &Error{Kind: ErrUnavailable}
	if denied := (*DeniedError)(nil); errors.As(err, &denied) {
		failure.Reason, failure.cause = denied.Error(), denied
		return failure
	}
	if timedOut := net.Error(nil); ctx.Err() == nil && errors.As(err, &timedOut) && timedOut.Timeout() {
		failure.Reason = "no connection to the sink in time: " + host + " does not answer"
		return failure
	}
	switch failure.cause = ctx.Err(); {
	case errors.Is(failure.cause, context.DeadlineExceeded):
		failure.Reason = "the sink did not answer in time"
	case failure.cause != nil:
		failure.Reason = "the attempt was cancelled before the sink answered"
	default:
		failure.Reason = reason(host, err)
	}
	return failure
}

// reason words what can be wrong with a connection, for people.
func reason(host string, err error) string {
	var lookup *net.DNSError
	var untrusted *tls.CertificateVerificationError
	var dial *net.OpError
	switch {
	case errors.As(err, &lookup):
		return "the sink's name cannot be looked up: " + lookup.Name + ": " + lookup.Err
	case errors.Is(err, http.ErrSchemeMismatch):
		return "the sink does not speak TLS: does its URI begin with https for a port that is http?"
	case errors.As(err, &untrusted):
		return distrust(untrusted.Err)
	case errors.Is(err, syscall.ECONNREFUSED) && errors.As(err, &dial) && dial.Addr != nil:
		return "nobody listens at " + dial.Addr.String()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the sink closed the connection without an answer"
	}
	return "no answer from " + host + ": " + quoted.ReplaceAllString(err.Error(), `"…"`)
}

// quoted is what net/http repeats of an answer that is none. It may be an echo of what was sent.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

func distrust(err error) string {
	if unknown := (x509.UnknownAuthorityError{}); errors.As(err, &unknown) {
		return "the sink's certificate is not signed by a CA that is trusted: give the CA as caBundle"
	}
	return "the sink's certificate is not valid: " + err.Error()
}
