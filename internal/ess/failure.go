package ess

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"
)

// kindWords are the codes of exchanges without an answer, for Call.Code.
var kindWords = []struct {
	kind error
	word string
}{
	{context.Canceled, "canceled"},
	{ErrTimeout, "timeout"},
	{ErrTLS, "tls"},
	{ErrDNS, "dns"},
	{ErrConnect, "connect"},
	{ErrTooLarge, "too_large"},
	{ErrMalformed, "malformed"},
	{ErrRateLimited, "held"}, // by the transport itself
}

func kindWord(kind error) string {
	for _, k := range kindWords {
		if errors.Is(kind, k.kind) {
			return k.word
		}
	}
	return ""
}

// contextKind turns the end of a context into a kind.
func contextKind(err error) error {
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	return ErrTimeout
}

// trace is what the transport tells while it carries a request.
type trace struct {
	// handshakeFailed says that TLS failed: crypto/tls has no error type for most of its refusals.
	handshakeFailed atomic.Bool
	sent            atomic.Pointer[time.Time]
}

func (t *trace) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) {
			now := time.Now()
			t.sent.CompareAndSwap(nil, &now) // the transport may come back for another connection
		},
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err != nil {
				t.handshakeFailed.Store(true)
			}
		},
	}
}

// sentAfter is when the request left, which a transport that holds calls back delays; start, when nobody told.
func (t *trace) sentAfter(start time.Time) time.Time {
	if sent := t.sent.Load(); sent != nil {
		return *sent
	}
	return start
}

// transportKind sorts what went wrong before a whole answer was there.
func transportKind(ctx context.Context, err error, handshakeFailed bool) error {
	if cause := ctx.Err(); cause != nil {
		return contextKind(cause)
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind // of a transport that refuses by itself
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && !dns.IsTimeout {
		return ErrDNS
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return ErrTimeout
	}
	switch {
	case isTLS(err), handshakeFailed && !isIO(err):
		return ErrTLS
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		return ErrMalformed
	}
	return ErrConnect
}

func isTLS(err error) bool {
	if errors.Is(err, http.ErrSchemeMismatch) {
		return true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	// An alert of the other side arrives as an OpError whose Op is no system call.
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "remote error" || op.Op == "local error")
}

func isIO(err error) bool {
	_, ok := errors.AsType[*net.OpError](err)
	return ok || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// loss is an exchange without a whole answer. cause is nil when an answer was cut off here.
type loss struct{ kind, cause error }

// detail says in words that do not change from one attempt to the next what the transport reported: without ports,
// resolver addresses and the time of day.
func (l *loss) detail(host string) string {
	err := l.cause
	switch {
	case errors.Is(l.kind, ErrTooLarge):
		return host + " sent more than 1 MiB"
	case errors.Is(l.kind, ErrTimeout), errors.Is(l.kind, context.Canceled):
		return host
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Detail
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.Name + ": " + dns.Err
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return host + ": " + validity(invalid.Cert)
	}
	for op, ok := errors.AsType[*net.OpError](err); ok; op, ok = errors.AsType[*net.OpError](err) {
		err = op.Err
	}
	if verification, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		err = verification.Err
	}
	return host + ": " + err.Error()
}

func validity(cert *x509.Certificate) string {
	if cert == nil {
		return "certificate not valid now"
	}
	return "certificate valid only from " + cert.NotBefore.UTC().Format(time.RFC3339) + " to " + cert.NotAfter.UTC().Format(time.RFC3339)
}

// refusal makes an error of an answer of ESS that is not success.
func (c *Client) refusal(r request, a answer, scrub scrubber) error {
	f := decodeFault(a.body)
	e := &Error{
		Op: r.doing, Status: a.status, CorrelationID: a.correlationID,
		RetryAfter: ParseRetryAfter(a.header.Get("Retry-After"), c.cfg.Now()),
		Detail:     scrub.line(strings.ReplaceAll(f.text(), a.correlationID, "")),
	}
	e.Kind = c.textKind(r, a.status, strings.ReplaceAll(f.text(), "'"+r.id+"'", ""))
	if e.Kind == nil {
		e.Kind = statusKind(r, a.status)
	}
	if errors.Is(e.Kind, ErrMalformed) {
		e.Detail = scrub.line(unexpected(a.status, e.Detail))
	}
	return e
}

// textKind reads a refusal by its text; nil means that the text says nothing. The text comes without
// the id of the subscription, which might hold any word.
func (c *Client) textKind(r request, status int, text string) error {
	switch status {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusConflict,
		http.StatusUnprocessableEntity, http.StatusTooManyRequests:
	default:
		return nil
	}
	put, p := r.method == http.MethodPut, c.cfg.Patterns
	switch {
	case p.Busy.MatchString(text):
		if status == http.StatusBadRequest {
			return ErrUnavailable
		}
	case put && p.Limit.MatchString(text):
		return ErrQuota
	case put && status != http.StatusTooManyRequests && p.Taken.MatchString(text):
		return ErrTaken
	}
	return nil
}

// statusKinds are the statuses that mean the same whatever was asked.
var statusKinds = map[int]error{
	http.StatusBadRequest:          ErrInvalid,
	http.StatusUnprocessableEntity: ErrInvalid,
	http.StatusUnauthorized:        ErrUnauthorized,
	http.StatusForbidden:           ErrUnauthorized,
	http.StatusRequestTimeout:      ErrUnavailable,
	http.StatusTooManyRequests:     ErrRateLimited,
}

// statusKind reads a refusal by its status.
func statusKind(r request, status int) error {
	if kind := oneStatusKind(r, status); kind != nil {
		return kind
	}
	if kind, ok := statusKinds[status]; ok {
		return kind
	}
	if status >= http.StatusInternalServerError {
		return ErrUnavailable
	}
	return ErrMalformed
}

// oneStatusKind reads statuses that mean something else when one subscription is concerned; nil for all others.
func oneStatusKind(r request, status int) error {
	put := r.method == http.MethodPut
	switch status {
	case http.StatusForbidden:
		if put || r.id != "" {
			return ErrForbidden
		}
	case http.StatusNotFound, http.StatusGone:
		if r.id != "" && !put {
			return ErrNotFound
		}
	case http.StatusConflict:
		if put {
			return ErrTaken
		}
	}
	return nil
}

// unexpected says what to check when a status has no meaning in the protocol, before what the answer itself said.
func unexpected(status int, detail string) string {
	hint := "unexpected status"
	switch {
	case status == http.StatusNotFound:
		hint = "nothing at this path, check the URL and the path prefix"
	case status >= 300 && status < 400:
		hint = "redirects are not followed, check the URL"
	}
	if detail == "" {
		return hint
	}
	return hint + ": " + detail
}
