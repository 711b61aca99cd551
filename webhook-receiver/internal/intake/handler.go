package intake

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

// Store keeps events.
type Store interface {
	// Append returns nil only once e would survive a loss of power. Its errors are event.ErrFull,
	// event.ErrUnavailable and those of ctx. It may be called from many goroutines at once.
	Append(ctx context.Context, e event.Entry) (event.Outcome, error)
}

// Prover tells whether a request comes from Concur.
type Prover interface {
	// Prove returns what proves it, or an error that says why nothing does; the error may be logged. It may be
	// called from many goroutines at once.
	Prove(r *http.Request, body []byte) (proof string, err error)
}

// Config is what a Handler needs. Store, Prover and Routes must be given.
type Config struct {
	Store Store
	// Prover and Routes are asked for each request, so they may change at any time.
	Prover func() Prover
	Routes func() *route.Table
	// PublicURL is where Concur reaches the receiver; CloudEvents sources of callouts begin with it. It is asked for
	// each; nil, or an empty one: those sources are relative to it.
	PublicURL func() string
	// OmitHeaders are not stored with events; credentials never are. Name the header here in which a proxy forwards
	// certificates: it is as long as the event.
	OmitHeaders []string
	// MaxBodySize is in bytes; zero: 4 MiB. See also SetMaxBodySize.
	MaxBodySize int64
	// MaxInFlight is how many requests are proved and stored at once; zero: 1,024. MaxBytesInFlight is what their
	// bodies, and those that are still coming, may take together; zero: 128 MiB.
	MaxInFlight      int64
	MaxBytesInFlight int64
	// AppendTimeout is how long an answer waits for the store; zero: 20 s.
	AppendTimeout time.Duration
	// Now is the clock that events are stamped with; nil: the system's.
	Now func() time.Time
	// Registerer gets the metrics; nil: nobody does.
	Registerer prometheus.Registerer
	// Logger gets what people should know of; nil: slog.Default().
	Logger *slog.Logger
}

// Handler takes events. Its methods may be called from many goroutines at once.
type Handler struct {
	config   Config
	omit     map[string]bool
	maxBody  atomic.Int64
	pacing   pacing
	draining atomic.Bool
	requests budget
	bytes    budget
	refusals refusals
	tests    tests
	metrics  metrics
	log      journalist
}

// New returns a Handler. It panics when the registerer has the metrics of another one already.
func New(c Config) *Handler {
	c = withDefaults(c)
	h := &Handler{
		config:   c,
		omit:     map[string]bool{"Authorization": true, "Proxy-Authorization": true, "Cookie": true},
		pacing:   pacing{whole: bodyTimeout, grace: bodyGrace, rate: bodyRate},
		requests: budget{limit: c.MaxInFlight},
		bytes:    budget{limit: c.MaxBytesInFlight},
		log:      newJournalist(c.Logger),
	}
	for _, name := range c.OmitHeaders {
		h.omit[http.CanonicalHeaderKey(name)] = true
	}
	h.SetMaxBodySize(c.MaxBodySize)
	h.metrics = newMetrics(c.Registerer, &h.requests, &h.bytes)
	return h
}

func withDefaults(c Config) Config {
	c.MaxInFlight = orDefault(c.MaxInFlight, defaultMaxInFlight)
	c.MaxBytesInFlight = orDefault(c.MaxBytesInFlight, defaultMaxBytes)
	c.AppendTimeout = orDefault(c.AppendTimeout, defaultAppendTimeout)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.PublicURL == nil {
		c.PublicURL = func() string { return "" }
	}
	return c
}

func orDefault[N int | int64 | time.Duration](n, otherwise N) N {
	if n > 0 {
		return n
	}
	return otherwise
}

// SetMaxBodySize changes how large a body may be, for requests from now on; zero: 4 MiB.
func (h *Handler) SetMaxBodySize(bytes int64) { h.maxBody.Store(orDefault(bytes, defaultMaxBody)) }

// Drain makes every further request be answered with 503. Those that are worked on are finished.
func (h *Handler) Drain() { h.draining.Store(true) }

// Refusals returns, for each route that is known, the deliveries that were refused since the last one that was taken.
func (h *Handler) Refusals() map[event.RouteID]event.Refusals {
	return h.refusals.of(h.config.Routes())
}

// ServeHTTP takes a delivery: it answers 200 only once the event is stored. It also answers Concur's test of the
// connection to a connector.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if isTest(h.config.Routes(), r) {
		h.testConnection(w, r)
		return
	}
	start := time.Now()
	to, how, err := screen(h.config.Routes(), r)
	if how == "" {
		how, err = h.take(w, r, to)
	}
	a := answers[how]
	if how == notOurs || how == wrongMethod {
		a.write(w)
		return // no delivery, so not counted as one
	}
	h.metrics.deliveries.WithLabelValues(string(to.ID.Kind), to.ID.Namespace, to.ID.Name, string(how)).Inc()
	h.refusals.note(to.ID, a, h.config.Now())
	h.log.write(r, "refusing a delivery", to.ID, how, err)
	a.write(w)
	h.metrics.duration.WithLabelValues(string(how)).Observe(time.Since(start).Seconds())
}

// take does all that may go wrong, and turns a panic into a result.
func (h *Handler) take(w http.ResponseWriter, r *http.Request, to route.Route) (how result, err error) {
	defer func() {
		if p := recover(); p != nil {
			how, err = panicked, fmt.Errorf("taking an event: %v\n%s", p, debug.Stack())
		}
	}()
	if h.draining.Load() {
		return draining, nil
	}
	body, held, how, err := h.read(w, r)
	defer func() { h.bytes.give(held) }()
	if how != "" {
		return how, err
	}
	// Only now, so that those who send slowly take no place from others.
	if !h.requests.take(1) {
		return overloaded, fmt.Errorf("taking an event: %d others are being worked on, which is the limit", h.requests.limit)
	}
	defer h.requests.give(1)
	return h.accept(r, to, body)
}
