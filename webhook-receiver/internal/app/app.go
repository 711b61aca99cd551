// Package app is the receiver as a whole: [Run] reads its files, makes its parts,
// starts them, and ends them in the order that loses nothing.
//
// # Start
//
// Everything that the configuration names must be good, or Run returns all that
// is not. The routes file alone need not: without a good one the receiver starts,
// is not ready, and answers 503 to every event, which ESS repeats for 72 hours.
// It could as well end; but then it would also be gone from where people look for
// the reason, and would come back only after the back-off of whoever restarts it.
//
// Both ports are served before the journal is open, because that can take a
// while: an older process that drains may still hold it.
//
// # End
//
// When the context ends: not ready; serve on for events.drainQuietPeriod, until
// load balancers have noticed; take no more requests and finish those under way;
// finish the deliveries under way; close the journal; and the admin port last, so
// that it can be watched. Each step is bounded. When a part fails,
// the same happens without the quiet period.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/reload"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/tracing"
)

// Options say what to run. The paths and Logger must be set.
type Options struct {
	// ConfigPath and RoutesPath are the two files.
	ConfigPath string
	RoutesPath string
	Logger     *slog.Logger
	// Version is that of this program.
	Version string
	// Reload makes all files be read at once: SIGHUP. Nil: they are read at every PollInterval only.
	Reload <-chan os.Signal
	// PollInterval is how often files are read; zero: 2s.
	PollInterval time.Duration
	// EventsListener and AdminListener take the place of the addresses in the configuration.
	EventsListener net.Listener
	AdminListener  net.Listener
	// LockTimeout is how long to wait for a process that holds the journal; zero: 5m.
	LockTimeout time.Duration
}

// How long each step of the end may take, beside the quiet period: the sum fits into the 30 seconds that
// Kubernetes gives by default.
const (
	requestsGrace   = 8 * time.Second
	deliveriesGrace = 10 * time.Second
	adminGrace      = 2 * time.Second
	spansGrace      = 2 * time.Second
)

// program is a receiver that runs.
type program struct {
	Options
	registry *prometheus.Registry
	watcher  *reload.Watcher
	live     *live
	store    store
	phase    atomic.Pointer[string] // why it is not ready, for people; nil: it is
	fault    error                  // of closing; read when all parts have ended
}

// The phases of a program that is not ready.
var (
	starting = "starting"
	opening  = "opening the journal"
	draining = "draining"
)

// Run runs the receiver until ctx ends, and returns nil then, or the first failure, joined with what went
// wrong while closing.
func Run(ctx context.Context, o Options) error {
	registry := prometheus.NewRegistry()
	live := newLive(o.Logger)
	if err := registerProcess(registry, o.Version, live.expiry); err != nil {
		return err
	}
	provider, endTracing, err := tracing.Start(ctx, os.Getenv, o.Version)
	if err != nil {
		return fmt.Errorf("starting to trace: %w", err)
	}
	p := &program{Options: o, registry: registry, live: live}
	p.phase.Store(&starting)
	live.registerer, live.version, live.tracer = registry, o.Version, provider
	err = p.run(ctx)
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), spansGrace)
	defer cancel()
	if endErr := endTracing(ending); endErr != nil {
		o.Logger.Warn("some spans could not be sent", "error", endErr)
	}
	return err
}

func (p *program) run(ctx context.Context) error {
	var err error
	p.watcher, err = reload.New(reload.Config{Interval: p.PollInterval, Logger: p.Logger, Registerer: p.registry})
	if err != nil {
		return err
	}
	err, routes := p.live.watch(p.watcher, p.ConfigPath, p.RoutesPath)
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", errors.Join(err, routes))
	}
	if routes != nil {
		p.Logger.Error("there is no good routes file, so every event is answered 503 until there is one",
			"file", p.RoutesPath, "error", routes)
	}
	parts, err := p.prepare(ctx)
	if err != nil {
		return err
	}
	group, failed := errgroup.WithContext(ctx)
	running := parts.start(ctx, group)
	group.Go(func() error {
		<-failed.Done()
		p.end(ctx.Err() != nil, parts, running)
		return nil
	})
	return errors.Join(group.Wait(), p.fault)
}

// registerProcess registers what every program tells of itself, and more.
func registerProcess(r prometheus.Registerer, version string, more ...prometheus.Collector) error {
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "ess_receiver_build_info",
		Help:        "Always 1; the label says which build of the receiver this is.",
		ConstLabels: prometheus.Labels{"version": version},
	}, func() float64 { return 1 })
	for _, c := range append(more,
		build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	) {
		if err := r.Register(c); err != nil {
			return fmt.Errorf("registering the metrics of the process: %w", err)
		}
	}
	return nil
}

// ready says why the receiver is not ready, in words that everybody may read.
func (p *program) ready() error {
	if phase := p.phase.Load(); phase != nil {
		return errors.New(*phase)
	}
	if p.watcher.Status(routesSource).Loaded.IsZero() {
		return errors.New("no good routes file has been read yet; the log says why")
	}
	return nil
}
