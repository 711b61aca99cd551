package app

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// orphanInterval is how often the log tells of events that nobody will take.
const orphanInterval = 10 * time.Minute

// orphans are the routes with events that wait for a sink that will not come: the route is gone from the
// routes file, or has no sink any more. Nothing of theirs is removed; a route that comes back gets them.
func (p *program) orphans() []event.RouteStats {
	table := p.live.routes.Load()
	if table == nil {
		return nil // there has been no good file yet, so nothing is known to be gone
	}
	var found []event.RouteStats
	for _, s := range p.store.Stats().Routes {
		r, known := table.ByID(s.Route)
		if s.Pending > 0 && (!known || r.Sink == nil && !r.AwaitSink) {
			found = append(found, s)
		}
	}
	return found
}

// watchOrphans tells of them until ctx ends.
func (p *parts) watchOrphans(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-p.opened:
	}
	ticker := time.NewTicker(orphanInterval)
	defer ticker.Stop()
	for {
		for _, s := range p.orphans() {
			p.Logger.Warn("events wait for a route without a sink: bring back its entry in the routes file, or give it a sink",
				"route", s.Route.String(), "pending", s.Pending, "oldest", s.OldestPending)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// registerOrphans registers their number as a metric.
func registerOrphans(r prometheus.Registerer, orphans func() []event.RouteStats) error {
	gauge := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ess_receiver_orphaned_events",
		Help: "Events that wait for a route which is gone from the routes file, or has no sink any more.",
	}, func() float64 {
		var n uint64
		for _, s := range orphans() {
			n += s.Pending
		}
		return float64(n)
	})
	if err := r.Register(gauge); err != nil {
		return fmt.Errorf("registering the metric of orphaned events: %w", err)
	}
	return nil
}
