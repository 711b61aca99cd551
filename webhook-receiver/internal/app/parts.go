package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/config"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/delivery"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/intake"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/journal"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

// parts are what a program is made of, ready to start.
type parts struct {
	*program
	events *port
	intake *intake.Handler
	admin  *port // nil: there is none

	dispatcher *delivery.Dispatcher
	opened     chan struct{} // closed when the journal is open
}

// prepare makes all parts, and listens.
func (p *program) prepare(ctx context.Context) (*parts, error) {
	all := &parts{program: p, opened: make(chan struct{})}
	all.dispatcher = delivery.New(delivery.Config{
		Queue: &p.store, Sender: p.live, Retention: p.live.started.Journal.Retention, Grace: deliveriesGrace,
		Logger: p.Logger, Registerer: p.registry,
	})
	all.dispatcher.SetRoutes(p.live.routes.Load())
	if err := registerOrphans(p.registry, p.orphans); err != nil {
		return nil, err
	}
	if err := all.newEvents(ctx); err != nil {
		return nil, err
	}
	if err := all.newAdmin(ctx); err != nil {
		return nil, errors.Join(err, all.events.listener.Close())
	}
	p.live.rerouted = func(t *route.Table) { all.dispatcher.SetRoutes(t) }
	p.live.reconfigured = func(c *config.Config) { all.intake.SetMaxBodySize(c.Events.MaxBodySize) }
	return all, nil
}

// running stops what was started, part by part. Each function returns when its part has ended.
type running struct{ files, deliveries, journal func() }

// start starts every part. Those that end with an error end the group.
func (p *parts) start(ctx context.Context, group *errgroup.Group) running {
	lasting := context.WithoutCancel(ctx) // parts end in an order, not together
	begin := func(run func(context.Context) error) (stop func()) {
		ctx, cancel := context.WithCancel(lasting)
		done := make(chan struct{})
		group.Go(func() error {
			defer close(done)
			return run(ctx)
		})
		return func() {
			cancel()
			<-done
		}
	}
	group.Go(p.events.serve)
	if p.admin != nil {
		group.Go(p.admin.serve)
	}
	r := running{
		files:   begin(func(ctx context.Context) error { return p.watcher.Run(ctx, p.Reload) }),
		journal: begin(p.keep),
	}
	deliveries, orphans := begin(p.deliver), begin(p.watchOrphans)
	r.deliveries = func() {
		orphans()
		deliveries()
	}
	return r
}

// keep opens the journal and keeps house in it.
func (p *parts) keep(ctx context.Context) error {
	p.phase.CompareAndSwap(&starting, &opening)
	j, err := p.openJournal(ctx)
	if err != nil || j == nil {
		return err
	}
	p.store.journal.Store(j)
	close(p.opened)
	p.phase.CompareAndSwap(&opening, nil)
	if stats, path := j.Stats(), p.live.started.Journal.Path; stats.Full {
		p.Logger.Warn("the journal is open and full: events are answered with 503 until there is room; deliver or bury what waits, give the volume more space, or raise journal.bbolt.maxSize",
			"path", path, "used", stats.Used, "maxSize", stats.MaxSize)
	} else {
		p.Logger.Info("the journal is open, events are taken", "path", path)
	}
	return j.Run(ctx)
}

// openJournal waits for another process to let go of the file, as during a rolling update. It returns
// nothing when ctx has ended.
func (p *parts) openJournal(ctx context.Context) (*journal.Journal, error) {
	c := p.live.started.Journal
	limit := p.LockTimeout
	if limit == 0 {
		limit = defaultLockTimeout
	}
	for began := time.Now(); ctx.Err() == nil; {
		j, err := journal.Open(journal.Options{
			Path: c.Path, MaxSize: c.MaxSize, DedupeWindow: c.DedupeWindow, CalloutDedupeWindow: c.CalloutDedupeWindow, Retention: c.Retention,
			Logger: p.Logger, Registerer: p.registry,
		})
		switch {
		case err == nil:
			return j, nil
		case !errors.Is(err, journal.ErrInUse):
			return nil, err
		case time.Since(began) > limit:
			return nil, fmt.Errorf("waiting %s for the journal: %w", limit, err)
		}
		p.Logger.Warn("waiting for another process to let go of the journal", "path", c.Path, "waited", time.Since(began).Round(time.Second).String())
	}
	return nil, nil
}

// defaultLockTimeout is longer than any pod drains.
const defaultLockTimeout = 5 * time.Minute

// deliver hands events to sinks, once the journal is open.
func (p *parts) deliver(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-p.opened:
		return p.dispatcher.Run(ctx)
	}
}

// end stops all parts in the order that loses nothing. asked: somebody wants the program to end, and load
// balancers have to notice.
func (p *program) end(asked bool, all *parts, r running) {
	p.phase.Store(&draining)
	quiet := p.live.config.Load().Events.DrainQuietPeriod
	if asked {
		p.Logger.Info("draining: serving on until load balancers have noticed", "for", quiet.String())
		time.Sleep(quiet)
	}
	all.intake.Drain()
	faults := []error{all.events.close(requestsGrace, p.Logger)}
	r.deliveries()
	r.journal()
	if j := p.store.journal.Load(); j != nil {
		faults = append(faults, j.Close())
	}
	if all.admin != nil {
		faults = append(faults, all.admin.close(adminGrace, p.Logger))
	}
	r.files()
	p.fault = errors.Join(faults...)
	if p.store.journal.Load() == nil {
		p.Logger.Info("ended: the journal was not open, and nothing was acknowledged")
		return
	}
	p.Logger.Info("ended: what was acknowledged is on disk")
}
