package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

// Reader looks into the store. It may be called from many goroutines at once.
type Reader interface {
	// Get returns one event with its body, or event.ErrNotFound.
	Get(seq uint64) (event.Record, error)
	// List returns a page without bodies, and where the next one begins; zero: there is none.
	List(f event.Filter, p event.Page) (records []event.Record, next uint64, err error)
	// Stats must be cheap: readiness probes ask for it.
	Stats() event.StoreStats
}

// Replayer makes events pending again. It may be called from many goroutines at once.
type Replayer interface {
	// Replay makes one event pending, or returns event.ErrNotFound.
	Replay(seq uint64) error
	// ReplayAll makes all that f selects pending, but those that are already, and says how many it did,
	// also when it ends with an error.
	ReplayAll(ctx context.Context, f event.Filter) (replayed int, err error)
}

// Tailer shows what is stored from now on.
type Tailer interface {
	// Tail returns events in the order in which they are stored, until ctx ends. Whoever reads too slowly misses
	// some; the next record says in Missed how many.
	Tail(ctx context.Context) <-chan event.Record
}

// RouteFile is what the receiver goes by of its routes file.
type RouteFile struct {
	// Table is in force, and Loaded is since when.
	Table  *route.Table
	Loaded time.Time
	// Refused is why a newer file was not taken; nil: the file is in force as it is. Its text must not hold credentials.
	Refused error
	// RefusedAt is when it was refused.
	RefusedAt time.Time
}

// Config is what the admin port serves, and from whom it has it. All fields down to Logger must be set.
type Config struct {
	// Version is of this program.
	Version string
	// Token returns what the token file holds now: a token per line, each of them valid. Without any, nobody is let in.
	Token func() string
	// Ready returns nil once the receiver takes events, otherwise why not, in words for people: "starting", "draining".
	// Everybody may read them, so they hold no secrets.
	Ready func() error
	// Reader, Replayer and Tailer are the store.
	Reader   Reader
	Replayer Replayer
	Tailer   Tailer
	// Routes returns how the routes file stands.
	Routes func() RouteFile
	// Refusals returns, for each known route, the deliveries that were refused since the last one that was taken.
	Refusals func() map[event.RouteID]event.Refusals
	// LastTests returns, for each known connector, when Concur's Test Connection last succeeded, if it did.
	LastTests func() map[event.RouteID]time.Time
	// Gatherer is what /metrics shows; Registerer gets the metrics of this package.
	Gatherer   prometheus.Gatherer
	Registerer prometheus.Registerer
	Logger     *slog.Logger

	// Clock is for tests; nil: the machine's.
	Clock clock.WithTicker
	// MaxTails is how many live tails there may be at once; zero: 32.
	MaxTails int
	// Heartbeat is how often a tail without events says that it lives; zero: 15s.
	Heartbeat time.Duration
}

const (
	defaultMaxTails  = 32
	defaultHeartbeat = 15 * time.Second
)

func (c Config) validated() (Config, error) {
	missing := map[string]bool{
		"Token": c.Token == nil, "Ready": c.Ready == nil, "Routes": c.Routes == nil, "Refusals": c.Refusals == nil,
		"LastTests": c.LastTests == nil,
		"Reader":    c.Reader == nil, "Replayer": c.Replayer == nil, "Tailer": c.Tailer == nil,
		"Gatherer": c.Gatherer == nil, "Registerer": c.Registerer == nil, "Logger": c.Logger == nil,
	}
	for field, is := range missing {
		if is {
			return Config{}, fmt.Errorf("making the admin handler: its %s is not set", field)
		}
	}
	if c.MaxTails < 0 || c.Heartbeat < 0 {
		return Config{}, errors.New("making the admin handler: limits cannot be negative")
	}
	if c.Clock == nil {
		c.Clock = clock.RealClock{}
	}
	if c.MaxTails == 0 {
		c.MaxTails = defaultMaxTails
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = defaultHeartbeat
	}
	return c, nil
}

// Limits of the server, each for the reason beside it.
const (
	headerTimeout = 5 * time.Second  // a header is one packet
	readTimeout   = 15 * time.Second // bodies are small
	writeTimeout  = time.Minute      // the largest answer is one event of some MiB, or 1000 without bodies
	idleTimeout   = 2 * time.Minute  // the manager comes back every minute
	maxHeader     = 16 << 10         // a token and a query
)

// Server returns a server of h with its limits. Shutting it down ends the live tails, which would hold it up otherwise.
// The caller sets TLSConfig and serves.
func (h *Handler) Server() *http.Server {
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(h.Logger.Handler(), slog.LevelDebug), // TLS handshakes of port scanners
	}
	s.RegisterOnShutdown(h.endTails)
	return s
}
