package ess

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"
)

// lateEnd is a transport whose answers end, as if whole, only when the caller has given up: closing a TLS
// connection tells the server first, which may still end its answer.
type lateEnd struct{ next http.RoundTripper }

func (l lateEnd) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(r)
	if err == nil && r.URL.Path != tokenPath {
		resp.Body = endsWith{ReadCloser: resp.Body, ctx: r.Context().Done()}
	}
	return resp, err
}

type endsWith struct {
	io.ReadCloser
	ctx <-chan struct{}
}

func (e endsWith) Read([]byte) (int, error) {
	<-e.ctx
	return 0, io.EOF
}

func TestAnswerThatEndsAfterTheDeadlineIsATimeout(t *testing.T) {
	t.Parallel()
	server := newConcur(t, answers(200, `["public.test"]`))
	client := server.client(t, func(cfg *Config) {
		cfg.Timeout = 300 * time.Millisecond
		cfg.Transport = lateEnd{next: unhurried(server.roots())}
	})
	if err := callTopics(t.Context(), client); !errors.Is(err, ErrTimeout) || errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want a timeout", err)
	}
}
