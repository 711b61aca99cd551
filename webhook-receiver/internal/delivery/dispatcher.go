package delivery

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

// What holds where a Config says nothing.
const (
	defaultSlots     = 16
	defaultGrace     = 20 * time.Second
	defaultRetention = 168 * time.Hour
	defaultTimeout   = 30 * time.Second
)

// Queue is what a Dispatcher asks of the store. All of it may be called from many goroutines at once.
type Queue interface {
	// Claim returns events of a route that are due and that nobody has claimed, the one due first first, and the time
	// at which the next one becomes due; zero: there is none. They stay claimed until they are settled.
	Claim(id event.RouteID, limit int) (claimed []event.Record, next time.Time, err error)
	// Settle returns once it is on disk how an attempt ended.
	Settle(seq uint64, how event.Settlement) error
	// Changed returns a channel of capacity 1: something of that route may have become claimable.
	Changed(id event.RouteID) <-chan struct{}
}

// Sender makes one attempt, within the deadline of its context; nil: the sink took the event. Its errors may be a
// [Failure]. It is called from many goroutines at once, and must not change the event.
type Sender interface {
	Send(ctx context.Context, to route.Sink, e event.Event, format route.Format) error
}

// Routes are all routes there are; *route.Table is.
type Routes interface{ All() []route.Route }

// Config is what a Dispatcher needs. Queue and Sender are required.
type Config struct {
	Queue  Queue
	Sender Sender
	// Retention is for how long an event is tried whose route says nothing about retries; default 168 h.
	Retention time.Duration
	// Grace is how long attempts may go on after the context of Run has ended; default 20 s.
	Grace time.Duration
	// Slots is how many attempts of one route are made at once; default 16.
	Slots      int
	Clock      clock.Clock           // default: the system's
	Logger     *slog.Logger          // default: none
	Registerer prometheus.Registerer // default: none
}

// Dispatcher delivers the events of all routes.
//
// An attempt that fails is made again if there was no answer, or one of 5xx, 404, 408, 409, 429; any other but 2xx is
// final. The n-th retry comes after a random part of backoffDelay times n, or times 2 to the n, and not before what a
// 429 or 503 asked for in Retry-After, up to an hour. With "retry" there are exactly so many retries, and no delay is
// longer than 24 h; without, an event is tried for as long as the retention, at least every 5 minutes, and as long again
// when it is replayed.
//
// What no sink took is dead. It goes to the dead letter sink, if there is one, by the same rules.
type Dispatcher struct {
	Config
	metrics   *metrics
	policy    policy
	storeDown atomic.Bool

	mu     sync.Mutex
	routes []route.Route
	loops  map[event.RouteID]*loop
	start  func(*loop) // nil: not running
}

// New returns a Dispatcher without routes.
func New(config Config) *Dispatcher {
	if config.Retention <= 0 {
		config.Retention = defaultRetention
	}
	if config.Grace <= 0 {
		config.Grace = defaultGrace
	}
	if config.Slots <= 0 {
		config.Slots = defaultSlots
	}
	if config.Clock == nil {
		config.Clock = clock.RealClock{}
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	return &Dispatcher{
		Config:  config,
		metrics: newMetrics(config.Registerer),
		policy:  policy{retention: config.Retention, jitter: randomPart},
		loops:   map[event.RouteID]*loop{},
	}
}

// randomPart is "full jitter": anything from nothing to all of it.
func randomPart(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return rand.N(d)
}

// SetRoutes says what routes there are from now on. A changed sink or delivery holds from the next attempt on. Events
// of a route that is gone, or has no sink, stay pending.
func (d *Dispatcher) SetRoutes(routes Routes) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.routes = routes.All()
	if d.start != nil {
		d.apply()
	}
}

// errRunning says that Run was called before it had returned.
var errRunning = errors.New("the dispatcher is running already")

// Run delivers until the context ends. Attempts under way then get the grace; those that are cut off after it are
// given back, and will be made again. It returns when no attempt is left.
func (d *Dispatcher) Run(ctx context.Context) error {
	attempts, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	var group sync.WaitGroup

	d.mu.Lock()
	if d.start != nil {
		d.mu.Unlock()
		return errRunning
	}
	d.start = func(l *loop) { group.Go(func() { l.run(ctx, attempts) }) }
	d.apply()
	d.mu.Unlock()

	<-ctx.Done()
	d.mu.Lock()
	d.start = nil
	clear(d.loops)
	d.mu.Unlock()

	ended := make(chan struct{})
	go func() { group.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-d.Clock.After(d.Grace):
		cut()
		<-ended
	}
	return nil
}

// apply starts, changes and stops loops; the lock is held.
func (d *Dispatcher) apply() {
	old := d.loops
	d.loops = make(map[event.RouteID]*loop, len(d.routes))
	for _, r := range d.routes {
		l := old[r.ID]
		delete(old, r.ID)
		if l == nil {
			l = newLoop(d, r)
			d.start(l)
		} else {
			l.configure(r)
		}
		d.loops[r.ID] = l
	}
	for _, l := range old {
		close(l.gone)
	}
}

// ended is called by a loop that has. Another one may have taken its place, and may have missed a change because the
// old one saw it.
func (d *Dispatcher) ended(l *loop) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch next := d.loops[l.id]; {
	case next != nil:
		next.poke()
	case d.start != nil: // the route is gone; at a shutdown, what was counted is still of use
		d.metrics.forget(l.id)
	}
}

// store notes whether the store does what it is asked, and logs when that changes.
func (d *Dispatcher) store(err error) {
	switch {
	case err == nil && d.storeDown.CompareAndSwap(true, false):
		d.Logger.Info("the store takes writes again, deliveries go on")
	case err != nil && d.storeDown.CompareAndSwap(false, true):
		d.Logger.Error("the store cannot be used, deliveries wait for it", "err", err)
	}
}
