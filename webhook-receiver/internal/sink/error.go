package sink

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Kinds of failures; test with errors.Is.
var (
	// ErrRefused: the sink answered, and would not answer otherwise to the same event.
	ErrRefused = errors.New("the sink refuses the event")
	// ErrNotNow: the sink answered that it cannot take this event now (404, 408, 409).
	ErrNotNow = errors.New("the sink does not take the event now")
	// ErrUnavailable: the sink takes no event now: no answer, 429, 5xx.
	ErrUnavailable = errors.New("the sink is not available")
)

// Bounds of what people have to read.
const (
	maxMessage = 256 // bytes of Error()
	maxQuote   = 100 // runes of the sink's own words
)

// Error says why an attempt failed. Test its kind with errors.Is.
type Error struct {
	// Kind is one of the Err values of this package.
	Kind error
	// Status is the HTTP status of the answer; zero when there was none.
	Status int
	// RetryAfter is how long the sink wants to be left alone: what a 429 or 503 named. Zero: it did not say.
	RetryAfter time.Duration
	// Reason says what is wrong, and is fit for logs.
	Reason string
	// Answer is the beginning of what the sink wrote, if that can be read. It is not fit for logs: a sink may well
	// repeat what it was sent.
	Answer string

	cause error // *DeniedError, or that of a context
}

// Error returns Reason and Answer in at most 256 bytes.
func (e *Error) Error() string {
	if e.Answer == "" {
		return cut(e.Reason, maxMessage)
	}
	return cut(fmt.Sprintf("%s: %q", e.Reason, e.Answer), maxMessage)
}

// LogValue leaves the sink's own words out.
func (e *Error) LogValue() slog.Value { return slog.StringValue(cut(e.Reason, maxMessage)) }

// Unwrap returns the kind and, where there is one that means something to a program, the cause.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.cause}
}

// Final reports whether trying again is pointless.
func (e *Error) Final() bool { return errors.Is(e.Kind, ErrRefused) }

// Down reports whether any other event would have failed just as well.
func (e *Error) Down() bool { return errors.Is(e.Kind, ErrUnavailable) }

// Wait is RetryAfter.
func (e *Error) Wait() time.Duration { return e.RetryAfter }

// DeniedError says that a sink has an address at which no sink may be.
type DeniedError struct {
	Address netip.Addr
	Prefix  netip.Prefix // the one that covers it
}

// Error names the address and the setting that denies it.
func (e *DeniedError) Error() string {
	return fmt.Sprintf("the sink's address %s is denied: sinks.denyCIDRs has %s", e.Address, e.Prefix)
}

// kindOf is Knative's rule of which answers are worth another attempt, as its SelectiveRetry has it.
func kindOf(status int) error {
	switch {
	case status >= 500, status == http.StatusTooManyRequests:
		return ErrUnavailable
	case status == http.StatusNotFound, status == http.StatusRequestTimeout, status == http.StatusConflict:
		return ErrNotNow
	}
	return ErrRefused
}

// quote returns the beginning of a text that people can read, on one line, or nothing.
func quote(text []byte) string {
	text = text[:len(text)-brokenTail(text)]
	if !utf8.Valid(text) || strings.IndexFunc(string(text), unreadable) >= 0 {
		return ""
	}
	line := strings.Join(strings.Fields(string(text)), " ")
	if strings.HasPrefix(line, "<") { // a page for browsers says nothing in its beginning
		return ""
	}
	if short := []rune(line); len(short) > maxQuote {
		return string(short[:maxQuote]) + "…"
	}
	return line
}

func unreadable(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) }

// brokenTail is how many bytes at the end are the beginning of a rune that was cut off.
func brokenTail(text []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if tail := text[len(text)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}

// cut shortens s to at most limit bytes, and never within a rune.
func cut(s string, limit int) string {
	const mark = "…"
	if len(s) <= limit {
		return s
	}
	end := limit - len(mark)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + mark
}
