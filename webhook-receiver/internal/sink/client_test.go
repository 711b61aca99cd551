package sink_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/sink"
)

// request is what a sink got.
type request struct {
	Header http.Header
	Body   []byte
	Proto  string
	Path   string
}

// recorder is a sink that remembers its requests and answers by a function, which may be nil.
func recorder(t *testing.T, answer http.HandlerFunc) (*httptest.Server, <-chan request) {
	t.Helper()
	got := make(chan request, 16)
	server := httptest.NewServer(record(t, got, answer))
	t.Cleanup(server.Close)
	return server, got
}

func record(t *testing.T, got chan<- request, answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("reading the request: %v", err)
		}
		got <- request{Header: r.Header, Body: body, Proto: r.Proto, Path: r.URL.Path}
		if answer != nil {
			answer(w, r)
		}
	}
}

func client(t *testing.T, config sink.Config) *sink.Client {
	t.Helper()
	c := sink.New(config)
	t.Cleanup(c.Close)
	return c
}

func at(t *testing.T, uri string) route.Sink {
	t.Helper()
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	return route.Sink{URI: u}
}

// send makes an attempt that ends, though the machine be slow.
func send(t *testing.T, c *sink.Client, to route.Sink, e event.Event, format route.Format) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return c.Send(ctx, to, e, format)
}

// origin is where events of these tests come from.
var origin = event.Origin{
	Route:          event.RouteID{Kind: event.Subscription, Namespace: "finance", Name: "expense-reports"},
	Source:         "https://us2.api.concursolutions.com",
	SubscriptionID: "acme.expense-reports",
	ContentType:    "application/json",
}

var arrival = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// sample is one of Concur's documented events, and its file.
type sample struct {
	file string
	event.Event
}

func samples(tb testing.TB) []sample {
	tb.Helper()
	files, err := filepath.Glob("../event/testdata/events/*.json")
	if err != nil || len(files) < 20 {
		tb.Fatalf("got %d samples: %v", len(files), err)
	}
	all := make([]sample, len(files))
	for i, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		all[i] = sample{filepath.Base(file), event.Parse(origin, body, arrival)}
	}
	return all
}
