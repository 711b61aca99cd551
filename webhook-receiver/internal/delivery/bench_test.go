package delivery_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/delivery"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

// fountain is a store that never runs dry and never looks back.
type fountain struct {
	mu      sync.Mutex
	left    int
	settled sync.WaitGroup
	event   event.Event
}

func (f *fountain) Claim(id event.RouteID, limit int) ([]event.Record, time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	claimed := make([]event.Record, min(limit, f.left))
	for i := range claimed {
		claimed[i] = event.Record{Seq: uint64(f.left - i), State: event.Pending, Event: f.event}
		claimed[i].Event.Route = id
	}
	f.left -= len(claimed)
	return claimed, time.Time{}, nil
}

func (f *fountain) Settle(uint64, event.Settlement) error {
	f.settled.Done()
	return nil
}

func (*fountain) Changed(event.RouteID) <-chan struct{} { return nil }

// poster posts the bare body: what is measured is the dispatcher, and the HTTP client of the standard library.
type poster struct{ http.Client }

func (p *poster) Send(ctx context.Context, to route.Sink, e event.Event, _ route.Format) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URI.String(), bytes.NewReader(e.Body))
	if err != nil {
		return err
	}
	response, err := p.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

func BenchmarkDeliver(b *testing.B) {
	for _, count := range []int{1, 100} {
		b.Run(fmt.Sprintf("routes=%d", count), func(b *testing.B) { deliver(b, count) })
	}
}

func deliver(b *testing.B, count int) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // what is read does not matter
	}))
	defer server.Close()
	u, err := url.Parse(server.URL)
	if err != nil {
		b.Fatal(err)
	}
	var routes table
	for n := range count {
		id := event.RouteID{Kind: event.Subscription, Namespace: "finance", Name: fmt.Sprint(n)}
		routes = append(routes, route.Route{ID: id, Sink: &route.Sink{URI: u}, Delivery: route.DefaultDelivery()})
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 2000}
	defer transport.CloseIdleConnections()
	queue := &fountain{left: b.N, event: event.Event{Body: bytes.Repeat([]byte("x"), 1000)}}
	queue.settled.Add(b.N)
	d := delivery.New(delivery.Config{Queue: queue, Sender: &poster{http.Client{Transport: transport}}})
	d.SetRoutes(routes)
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	b.ReportAllocs()
	b.ResetTimer()
	go func() { ended <- d.Run(ctx) }()
	queue.settled.Wait()
	b.StopTimer()
	stop()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
