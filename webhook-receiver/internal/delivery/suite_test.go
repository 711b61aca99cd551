package delivery_test

import (
	"context"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/delivery"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

// table is a routes file.
type table []route.Route

func (t table) All() []route.Route { return t }

var reports = event.RouteID{Kind: event.Subscription, Namespace: "finance", Name: "reports"}

func sinkAt(host string) *route.Sink {
	return &route.Sink{URI: &url.URL{Scheme: "http", Host: host}}
}

// routed is the route of an id to a sink of the same name.
func routed(id event.RouteID, d route.Delivery) route.Route {
	return route.Route{ID: id, Sink: sinkAt(id.Name), Delivery: d}
}

// retry is a delivery with a number of retries, 2 s, 4 s, 8 s … apart.
func retry(n int) route.Delivery {
	d := route.DefaultDelivery()
	d.Retries = n
	return d
}

// answer is an error of a sender that tells about itself.
type answer struct {
	final, down bool
	wait        time.Duration
}

func (answer) Error() string         { return "the sink answered" }
func (a answer) Final() bool         { return a.final }
func (a answer) Down() bool          { return a.down }
func (a answer) Wait() time.Duration { return a.wait }

// sinks are all sinks there are: what each answers, and what it got.
type sinks struct {
	mu     sync.Mutex
	answer map[string]func(context.Context) error // by host; none: takes everything
	got    []attempt
}

type attempt struct {
	Host string
	At   time.Time
}

func (s *sinks) Send(ctx context.Context, to route.Sink, _ event.Event, _ route.Format) error {
	s.mu.Lock()
	s.got = append(s.got, attempt{to.URI.Host, time.Now()})
	respond := s.answer[to.URI.Host]
	s.mu.Unlock()
	if respond == nil {
		return nil
	}
	return respond(ctx)
}

// on sets what a sink answers from now on; nil: it takes everything.
func (s *sinks) on(host string, respond func(context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answer == nil {
		s.answer = map[string]func(context.Context) error{}
	}
	s.answer[host] = respond
}

func (s *sinks) attempts(host string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, a := range s.got {
		if a.Host == host {
			n++
		}
	}
	return n
}

func always(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

func hang(ctx context.Context) error {
	<-ctx.Done()
	return answer{down: true}
}

// world is a dispatcher that runs, with its store and its sinks, in a bubble of its own time.
type world struct {
	*delivery.Dispatcher
	queue *memory
	sinks *sinks
	stop  context.CancelFunc
	ended chan struct{}
}

// start runs a dispatcher until the test ends; config changes what it is made of, and may be nil.
func start(t *testing.T, routes table, config func(*delivery.Config)) *world {
	t.Helper()
	w := &world{queue: newMemory(), sinks: &sinks{}, ended: make(chan struct{})}
	c := delivery.Config{Queue: w.queue, Sender: w.sinks}
	if config != nil {
		config(&c)
	}
	w.Dispatcher = delivery.New(c)
	w.SetRoutes(routes)
	ctx, stop := context.WithCancel(t.Context())
	w.stop = stop
	go func() {
		defer close(w.ended)
		if err := w.Run(ctx); err != nil {
			t.Errorf("running: %v", err)
		}
	}()
	t.Cleanup(func() {
		stop()
		<-w.ended
	})
	return w
}

// after lets time go by, and then everything come to rest.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
