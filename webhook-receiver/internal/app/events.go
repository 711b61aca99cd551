package app

import (
	"context"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/config"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/intake"
)

// newEvents makes the port that Concur posts to.
func (p *parts) newEvents(ctx context.Context) error {
	c := p.live.started
	p.intake = intake.New(intake.Config{
		Store: &p.store, Prover: p.prover, Routes: p.live.routes.Load, PublicURL: p.live.publicURL, OmitHeaders: config.Headers(),
		MaxBodySize: p.live.config.Load().Events.MaxBodySize, MaxInFlight: int64(c.Events.MaxInFlight),
		Registerer: p.registry, Logger: p.Logger,
	})
	server := intake.ServerConfig{
		Handler: p.intake, MaxConnections: c.Events.MaxConnections, Registerer: p.registry, Logger: p.Logger,
	}
	if c.Events.TLS != nil {
		server.Identity = p.live.events.Load
	}
	listener, err := listen(ctx, p.EventsListener, "events", c.Events.Listen)
	if err != nil {
		return err
	}
	p.events = &port{name: "events", server: intake.NewServer(server), listener: listener}
	p.Logger.Info("serving the events port", "address", listener.Addr().String(), "tls", c.Events.TLS != nil)
	return nil
}

// prover is what proves events now.
func (p *program) prover() intake.Prover { return p.live.proof.Load() }

// refusals tells the admin API which routes could not take their last delivery.
func (p *parts) refusals() map[event.RouteID]event.Refusals { return p.intake.Refusals() }

// lastTests tells the admin API when connections were tested.
func (p *parts) lastTests() map[event.RouteID]time.Time { return p.intake.LastTests() }
