package route

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/sosodev/duration"
)

// The bounds of what a file may say. They are wide: they keep out what must be a slip of the pen.
const (
	maxRetries = 100_000
	maxDelay   = 24 * time.Hour
	maxTimeout = time.Hour
	maxURI     = 2048
)

// DefaultDelivery is what holds where a routes file says nothing.
func DefaultDelivery() Delivery {
	return Delivery{
		Retries:       -1,
		BackoffPolicy: Exponential,
		BackoffDelay:  time.Second,
		Timeout:       30 * time.Second,
		Ordering:      Unordered,
		Format:        Binary,
	}
}

func (p *parser) delivery(at string, d *delivery) Delivery {
	out := DefaultDelivery()
	if d == nil {
		return out
	}
	if d.Retry != nil {
		out.Retries = *d.Retry
		if out.Retries < 0 || out.Retries > maxRetries {
			p.refuse(at+".retry", fmt.Sprintf("must be from 0 to %d; leave it out to retry as long as the event is kept", maxRetries))
		}
	}
	out.BackoffPolicy = oneOf(p, at+".backoffPolicy", d.BackoffPolicy, out.BackoffPolicy, Linear)
	out.Ordering = oneOf(p, at+".ordering", d.Ordering, out.Ordering, PerKey)
	out.Format = oneOf(p, at+".format", d.Format, out.Format, Structured)
	out.BackoffDelay = p.duration(at+".backoffDelay", d.BackoffDelay, out.BackoffDelay, maxDelay)
	out.Timeout = p.duration(at+".timeout", d.Timeout, out.Timeout, maxTimeout)
	out.DeadLetterSink = p.sink(at+".deadLetterSink", d.DeadLetterSink)
	return out
}

// oneOf returns the word if it is one of two, and the first of them if the file has none.
func oneOf[T ~string](p *parser, at, word string, otherwise, other T) T {
	switch {
	case !p.Has(at):
		return otherwise
	case word != string(otherwise) && word != string(other):
		p.refuse(at, fmt.Sprintf("must be %s or %s", otherwise, other))
	}
	return T(word)
}

func (p *parser) duration(at string, d isoTime, otherwise, limit time.Duration) time.Duration {
	switch given := time.Duration(d); {
	case !p.Has(at):
		return otherwise
	case given <= 0 || given > limit:
		p.refuse(at, fmt.Sprintf("must be more than nothing and at most %s", duration.Format(limit)))
	}
	return time.Duration(d)
}

// isoTime is a duration as ISO 8601 writes it, which is how Knative's DeliverySpec has it.
type isoTime time.Duration

var errISO = errors.New("must be a duration as ISO 8601 writes it, such as PT1S, PT0.5S or PT2M; years and months have no fixed length")

func (t *isoTime) UnmarshalText(text []byte) error {
	d, err := duration.Parse(string(text))
	if err != nil || d.Negative || d.Years != 0 || d.Months != 0 {
		return errISO
	}
	seconds := ((d.Weeks*7+d.Days)*24+d.Hours)*3600 + d.Minutes*60 + d.Seconds
	if !(seconds >= 0 && seconds <= (365*24*time.Hour).Seconds()) { // also not a number at all
		return errISO
	}
	*t = isoTime(seconds * float64(time.Second))
	return nil
}

// awaiting refuses to wait for a sink that is there.
func (p *parser) awaiting(at string, s *sink, await bool) {
	if await && s != nil {
		p.refuse(at+".awaitSink", "must not be true beside a sink: take one of the two away")
	}
}

func (p *parser) sink(at string, s *sink) *Sink {
	if s == nil {
		return nil
	}
	u, _ := p.uri(at+".uri", s.URI, "where events are posted, such as http://expense-bot.finance.svc")
	return &Sink{URI: u, CABundle: p.caBundle(at+".caBundle", s.CABundle)}
}

// uri reads an absolute http or https URI; what says what it should be.
func (p *parser) uri(at, text, what string) (*url.URL, bool) {
	if text == "" {
		p.refuse(at, "is missing: give "+what)
		return nil, false
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || len(text) > maxURI:
		p.refuse(at, "must be an absolute http or https URI: "+what)
	case u.User != nil:
		p.refuse(at, "must not hold a user name or password: URIs are shown to people")
	case u.Fragment != "":
		p.refuse(at, "must not hold a fragment (#…): it is never sent")
	default:
		return u, true
	}
	return nil, false
}

// caBundle returns the certificates as PEM.
func (p *parser) caBundle(at, text string) []byte {
	if text == "" {
		return nil
	}
	bundle, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil || !certificates(bundle) {
		p.refuse(at, "must be PEM certificates in base64, as made by: base64 -w0 ca.pem")
	}
	return bundle
}

// certificates reports whether a bundle is made of certificates, one at least.
func certificates(bundle []byte) bool {
	count := 0
	for block, rest := pem.Decode(bundle); block != nil; block, rest = pem.Decode(rest) {
		if _, err := x509.ParseCertificate(block.Bytes); err != nil || block.Type != "CERTIFICATE" {
			return false
		}
		count++
	}
	return count > 0
}
