package session

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// line is a service that notes who called when, and answers as told.
type line struct {
	start time.Time

	mu     sync.Mutex
	calls  []string // as "name 2s"
	answer func() *http.Response
}

func newLine() *line {
	return &line{start: time.Now(), answer: func() *http.Response { return answered(http.StatusOK, "") }}
}

// RoundTrip implements http.RoundTripper.
func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, strings.Trim(r.URL.Path, "/")+" "+time.Since(l.start).Round(10*time.Millisecond).String())
	return l.answer(), nil
}

// answers makes all answers from now on have this status and Retry-After.
func (l *line) answers(status int, retryAfter string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answer = func() *http.Response { return answered(status, retryAfter) }
}

// made are the calls that were made so far, in their order.
func (l *line) made() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.calls)
}

func answered(status int, retryAfter string) *http.Response {
	answer := &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody}
	if retryAfter != "" {
		answer.Header.Set("Retry-After", retryAfter)
	}
	return answer
}

// governedLine is a governor of its own before a line.
func governedLine(limit Limit) (*Governor, *line, http.RoundTripper) {
	l := newLine()
	g := newGovernor(limit, func(Urgency, time.Duration) {})
	return g, l, g.Transport(l)
}

// send makes one call named name and returns its error.
func send(ctx context.Context, transport http.RoundTripper, name string) error {
	return sendBody(ctx, transport, name, http.NoBody)
}

func sendBody(ctx context.Context, transport http.RoundTripper, name string, body io.Reader) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, baseURL+"/"+name, body)
	if err != nil {
		return err
	}
	if name != "token" {
		r.Header.Set("Authorization", "Bearer token")
	}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// begin starts a call and returns where its error comes.
func begin(ctx context.Context, transport http.RoundTripper, name string) <-chan error {
	done := make(chan error, 1)
	go func() { done <- send(ctx, transport, name) }()
	return done
}

func wantNoError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
