package admin_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/admin"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

const token = "f3b1c2d4e5f60718293a4b5c6d7e8f90"

var now = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// bench is a handler and all it stands on.
type bench struct {
	*admin.Handler
	store    *memory // what the handler reads, unless the test put something else there
	clock    *clocktesting.FakeClock
	registry *prometheus.Registry
}

// newBench makes one; change may alter its configuration.
func newBench(t testing.TB, change ...func(*admin.Config)) *bench {
	t.Helper()
	b := &bench{store: &memory{}, clock: clocktesting.NewFakeClock(now), registry: prometheus.NewRegistry()}
	c := admin.Config{
		Version:    "v1.2.3",
		Token:      func() string { return token + "\n" },
		Ready:      func() error { return nil },
		Reader:     b.store,
		Replayer:   b.store,
		Tailer:     b.store,
		Routes:     routeFile,
		Refusals:   func() map[event.RouteID]event.Refusals { return nil },
		LastTests:  func() map[event.RouteID]time.Time { return nil },
		Gatherer:   b.registry,
		Registerer: b.registry,
		Logger:     slog.New(slog.DiscardHandler),
		Clock:      b.clock,
	}
	for _, f := range change {
		f(&c)
	}
	h, err := admin.New(c)
	if err != nil {
		t.Fatal(err)
	}
	b.Handler = h
	return b
}

// call asks with a valid token.
func (b *bench) call(method, target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "https://localhost", strings.NewReader(body))
	r.URL.Path, r.URL.RawQuery, _ = strings.Cut(target, "?")
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return w
}

func (b *bench) get(target string) *httptest.ResponseRecorder {
	return b.call(http.MethodGet, target, "")
}

// decode reads a whole answer of the given status.
func decode[T any](t testing.TB, w *httptest.ResponseRecorder, status int) T {
	t.Helper()
	var v T
	if w.Code != status {
		t.Fatalf("status %d, want %d: %s", w.Code, status, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return v
}

// problem is an error as callers see it.
type problem struct {
	Title, Detail string
	Status        int
}

// refused reads an error, and checks the form that all errors have.
func refused(t testing.TB, w *httptest.ResponseRecorder, status int) problem {
	t.Helper()
	p := decode[problem](t, w, status)
	if p.Status != status || p.Title != http.StatusText(status) || p.Detail == "" {
		t.Errorf("the problem is %+v, want status %d with title and detail", p, status)
	}
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q of an error", got)
	}
	return p
}

var reports = event.RouteID{Kind: event.Subscription, Namespace: "finance", Name: "expense-reports"}

// sample is an event with a secret, which must show where data may be shown only.
func sample(id string) event.Event {
	return event.Event{
		Route: reports, ID: id, Source: "https://us2.api.concursolutions.com/events/v4/subscriptions/acme",
		Type: "com.concur.expense.report.submitted", EventType: "submitted", Time: now, Received: now,
		Proof: "signature:current", DataContentType: "application/json",
		Header: map[string][]string{"Concur-Correlationid": {"secret-in-header"}},
		Body:   []byte(`{"eventType": "submitted", "facts": {"reportId": "secret-in-body", "href": "https://a/?b&c"}}`),
	}
}

// fill stores one event in each state, in the order of event.States, and a callout.
func (b *bench) fill() {
	for _, s := range event.States() {
		b.store.add(sample(string(s)), s)
	}
	callout := sample("callout")
	callout.Route = event.RouteID{Kind: event.Connector, Namespace: "hr", Name: "requests"}
	callout.Header = map[string][]string{"Content-Type": {"application/xml"}}
	callout.Body = []byte("<Notification/>")
	callout.Converted = json.RawMessage(`{"objectURI":"secret-in-body"}`)
	b.store.add(callout, event.Delivered)
}

func routeFile() admin.RouteFile {
	sink := &route.Sink{
		URI:      &url.URL{Scheme: "https", Host: "bot.finance.svc", Path: "/in", RawQuery: "key=secret", User: url.UserPassword("u", "secret")},
		CABundle: []byte("PEM"),
	}
	d := route.DefaultDelivery()
	limited := d
	limited.Retries, limited.DeadLetterSink, limited.Ordering = 5, sink, route.PerKey
	return admin.RouteFile{
		Table: route.NewTable([]route.Route{
			{ID: reports, SubscriptionID: "acme.expense-reports", Source: "https://us2.api.concursolutions.com", Sink: sink, Delivery: limited},
			{ID: event.RouteID{Kind: event.Subscription, Namespace: "finance", Name: "awaiting"}, AwaitSink: true, Delivery: d},
		}, []route.Connector{{ID: event.RouteID{Kind: event.Connector, Namespace: "hr", Name: "requests"}, Path: "/concur/v1.0/notify",
			Credentials: []route.Credential{{Username: "secret", Password: "secret"}}, Delivery: d}}),
		Loaded:    now.Add(-time.Hour),
		Refused:   errors.New("reading routes.yaml: subscriptions[0].sinks is unknown"),
		RefusedAt: now,
	}
}
