package jitter_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/test/jitter"
)

const longest = 300 * time.Millisecond

// server is a transport that is a function.
type server func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (s server) RoundTrip(r *http.Request) (*http.Response, error) { return s(r) }

// says is a server whose answers have this body.
func says(body io.ReadCloser) server {
	return func(*http.Request) (*http.Response, error) { return &http.Response{Body: body}, nil }
}

func get(ctx context.Context, t *testing.T, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRequestsAndAnswersAreLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var before, after time.Duration
		const calls = 200
		for seed := range uint64(calls) {
			start, arrived := time.Now(), time.Time{}
			late := jitter.New(longest, seed).Wrap(server(func(*http.Request) (*http.Response, error) {
				arrived = time.Now()
				return &http.Response{Body: http.NoBody}, nil
			}))
			answer, err := late.RoundTrip(get(t.Context(), t, "https://example.com/"))
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
			way, back := arrived.Sub(start), time.Since(arrived)
			if max(way, back) > longest {
				t.Fatalf("a request took %s and its answer %s, which is more than %s", way, back, longest)
			}
			before, after = before+way, after+back
		}
		for what, sum := range map[string]time.Duration{"requests": before, "answers": after} {
			if mean := sum / calls; mean < longest/3 || mean > 2*longest/3 {
				t.Errorf("%s are late by %s on average, want about %s", what, mean, longest/2)
			}
		}
	})
}

func TestAnEndedContextEndsTheDelay(t *testing.T) {
	t.Parallel()
	for name, when := range map[string]time.Duration{
		"before it is sent": 0,
		"on its way":        time.Second,
		"on its way back":   time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), when)
				defer cancel()
				start := time.Now()
				body := &closing{Reader: strings.NewReader("{}")}
				request := get(ctx, t, "https://example.com/")
				request.Body = body
				late := jitter.New(1000*time.Hour, 1).Wrap(server(func(r *http.Request) (*http.Response, error) {
					return nil, errors.Join(errors.New("it was sent"), r.Body.Close())
				}))
				answer, err := late.RoundTrip(request)
				if err == nil {
					_ = answer.Body.Close()
				}
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != when {
					t.Errorf("after %s: %v, want the end of the context after %s", time.Since(start), err, when)
				}
				if !body.closed {
					t.Error("the body of the request is open")
				}
			})
		})
	}
}

func TestAnAnswerThatNobodyWaitsForIsClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		body := &closing{Reader: strings.NewReader("{}")}
		late := jitter.New(longest, 1).Wrap(server(func(*http.Request) (*http.Response, error) {
			cancel()
			return &http.Response{Body: body}, nil
		}))
		answer, err := late.RoundTrip(get(ctx, t, "https://example.com/"))
		if err == nil {
			_ = answer.Body.Close()
		}
		if !errors.Is(err, context.Canceled) || !body.closed {
			t.Errorf("error = %v, closed = %t; want the end of the context, and a body that is closed", err, body.closed)
		}
	})
}

func TestWithoutTheVariableNothingChanges(t *testing.T) {
	t.Setenv(jitter.Variable, "")
	none, err := jitter.FromEnvironment()
	if err != nil || none != nil {
		t.Fatalf("FromEnvironment() = %v, %v; want nothing", none, err)
	}
	body := io.NopCloser(strings.NewReader("{}"))
	answer, err := none.Wrap(says(body)).RoundTrip(get(t.Context(), t, "https://example.com/?watch=true"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.Body != body {
		t.Errorf("the body is a %T, want what the server sent", answer.Body)
	}
}

func TestTheEnvironmentIsRead(t *testing.T) {
	for name, c := range map[string]struct {
		longest, seed string
		want          string
		refused       bool
		reason        string
	}{
		"both":        {longest: "1s", seed: "7", want: "JITTER=1s JITTER_SEED=7", reason: "what is printed leads to the same delays again"},
		"no unit":     {longest: "300", seed: "7", refused: true, reason: "300 of what is not known"},
		"no time":     {longest: "0s", seed: "7", refused: true, reason: "somebody who asks for jitter must not get a run without"},
		"not a seed":  {longest: "1s", seed: "lucky", refused: true, reason: "another seed than the one that was asked for is of no use"},
		"less than 0": {longest: "-1s", refused: true, reason: "nothing comes early"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(jitter.Variable, c.longest)
			t.Setenv(jitter.SeedVariable, c.seed)
			got, err := jitter.FromEnvironment()
			if refused := err != nil; refused != c.refused {
				t.Fatalf("error = %v, want one: %t, because %s", err, c.refused, c.reason)
			}
			if diff := cmp.Diff(c.want, got.String()); err == nil && diff != "" {
				t.Errorf("it is otherwise than asked for (-want +got), although %s:\n%s", c.reason, diff)
			}
		})
	}
}

// closing knows whether it was closed.
type closing struct {
	io.Reader
	closed bool
}

// Close implements io.Closer.
func (c *closing) Close() error {
	c.closed = true
	return nil
}
