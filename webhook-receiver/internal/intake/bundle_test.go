package intake

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

const path = "/events/finance/reports"

var (
	id         = event.RouteID{Kind: event.Subscription, Namespace: "finance", Name: "reports"}
	arrival    = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	errForged  = errors.New("forged")
	goodRoute  = route.Route{ID: id, SubscriptionID: "acme.reports", Source: "https://us2.api.concursolutions.com"}
	goodBody   = `{"id":"1","topic":"public.concur.expense.report","eventType":"created","facts":{"reportId":"R"}}`
	sinkOfTest = &route.Sink{URI: &url.URL{Scheme: "http", Host: "sink.example"}}
)

// storeFunc stores as it says.
type storeFunc func(context.Context, event.Entry) (event.Outcome, error)

func (f storeFunc) Append(ctx context.Context, e event.Entry) (event.Outcome, error) {
	return f(ctx, e)
}

func storeWith(o event.Outcome, err error) storeFunc {
	return func(context.Context, event.Entry) (event.Outcome, error) { return o, err }
}

// memory is a store that keeps everything, and knows duplicates.
type memory struct {
	mu      sync.Mutex
	entries []event.Entry
}

func (m *memory) Append(_ context.Context, e event.Entry) (event.Outcome, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, other := range m.entries {
		if other.Event.Route == e.Event.Route && other.Event.ID == e.Event.ID {
			return event.Duplicate, nil
		}
	}
	m.entries = append(m.entries, e)
	return event.Accepted, nil
}

// proverFunc proves as it says.
type proverFunc func(*http.Request, []byte) (string, error)

func (f proverFunc) Prove(r *http.Request, body []byte) (string, error) { return f(r, body) }

// byHeader believes whoever says so.
func byHeader(r *http.Request, _ []byte) (string, error) {
	if r.Header.Get("Concur-Signature") == "good" {
		return "signature:mine", nil
	}
	return "", errForged
}

// newHandler fills in what c leaves out.
func newHandler(tb testing.TB, c Config, routes ...route.Route) (*Handler, *prometheus.Registry) {
	tb.Helper()
	registry := prometheus.NewPedanticRegistry()
	table := route.NewTable(append(routes, goodRoute)[:max(1, len(routes))], nil)
	if c.Store == nil {
		c.Store = &memory{}
	}
	if c.Prover == nil {
		c.Prover = func() Prover { return proverFunc(byHeader) }
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Routes == nil {
		c.Routes = func() *route.Table { return table }
	}
	c.Now = func() time.Time { return arrival }
	c.Registerer = registry
	return New(c), registry
}

func post(target string, body io.Reader) *http.Request {
	r, err := http.NewRequest(http.MethodPost, target, body)
	if err != nil {
		panic(err)
	}
	r.Header.Set("Concur-Signature", "good")
	r.Header.Set("Content-Type", "application/json")
	return r
}

// counts returns what g counts, by name and label values, zeros left out; of histograms how many were observed.
func counts(tb testing.TB, g prometheus.Gatherer) map[string]float64 {
	tb.Helper()
	families, err := g.Gather()
	if err != nil {
		tb.Fatal(err)
	}
	all := make(map[string]float64)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			key := family.GetName()
			for _, l := range m.GetLabel() {
				key += " " + l.GetName() + "=" + l.GetValue()
			}
			n := m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			if n != 0 {
				all[key] = n
			}
		}
	}
	return all
}
