package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

const (
	// serialConnections have their subscriptions created one after another, and edited later.
	serialConnections = 40
	// burst is how many subscriptions are created at once, each of another application.
	burst = 20
	// quotaConnections have all their subscriptions created at once.
	quotaConnections = 10
)

// create measures the time from create to Ready while nothing else happens.
func (b *bench) create(ctx context.Context) (err error) {
	if b.manager, err = b.startManager(); err != nil {
		return err
	}
	if err := b.manager.ready(ctx); err != nil {
		return err
	}
	if err := b.createSerially(ctx); err != nil {
		return err
	}
	if err := b.createInBursts(ctx); err != nil {
		return err
	}
	return b.createQuotas(ctx)
}

// connectMany makes connections and waits until they were listed once.
func (b *bench) connectMany(ctx context.Context, namespace string, n int) ([]connection, error) {
	if err := b.namespace(ctx, namespace); err != nil {
		return nil, err
	}
	b.concur.ResetRequests()
	connections := make([]connection, n)
	for i := range connections {
		var err error
		if connections[i], err = b.connect(ctx, namespace); err != nil {
			return nil, err
		}
	}
	return connections, until(ctx, "the connections to be listed", func() (bool, error) {
		return len(b.calls().lists) >= n, nil
	})
}

// createOne creates a subscription and returns how long it took to be Ready.
func (b *bench) createOne(ctx context.Context, sub *v1alpha1.EventSubscription) (time.Duration, error) {
	start := time.Now()
	if err := b.client.Create(ctx, sub); err != nil {
		return 0, err
	}
	at, err := b.watched.until(ctx, sub)
	return at.Sub(start), err
}

func (b *bench) createSerially(ctx context.Context) error {
	connections, err := b.connectMany(ctx, edited, serialConnections)
	if err != nil {
		return err
	}
	b.serial = connections
	var took times
	for i := range serialConnections * b.sizes.subscriptions {
		d, err := b.createOne(ctx, connections[i%serialConnections].subscription(i/serialConnections))
		if err != nil {
			return err
		}
		if i < b.sizes.creates {
			took = append(took, d)
		}
	}
	b.results.add("create → `Ready`, one after another", "p50 300 ms, p99 1 s", "%s", took)
	return nil
}

// createTogether creates subscriptions at the same time.
func (b *bench) createTogether(ctx context.Context, subs []*v1alpha1.EventSubscription) (times, error) {
	took := make(times, len(subs))
	group, ctx := errgroup.WithContext(ctx)
	for i, sub := range subs {
		group.Go(func() (err error) {
			took[i], err = b.createOne(ctx, sub)
			return err
		})
	}
	return took, group.Wait()
}

func (b *bench) createInBursts(ctx context.Context) error {
	connections, err := b.connectMany(ctx, "bursts", burst)
	if err != nil {
		return err
	}
	var took times
	for n := range b.sizes.subscriptions {
		subs := make([]*v1alpha1.EventSubscription, 0, burst)
		for _, c := range connections {
			subs = append(subs, c.subscription(n))
		}
		some, err := b.createTogether(ctx, subs)
		if err != nil {
			return err
		}
		took = append(took, some...)
	}
	b.results.add(fmt.Sprintf("create → `Ready`, %d at once, each of another application", burst), "p50 300 ms, p99 1 s", "%s", took)
	return nil
}

func (b *bench) createQuotas(ctx context.Context) error {
	connections, err := b.connectMany(ctx, "quotas", quotaConnections)
	if err != nil {
		return err
	}
	var took times
	for _, c := range connections {
		subs := make([]*v1alpha1.EventSubscription, 0, b.sizes.subscriptions)
		for n := range b.sizes.subscriptions {
			subs = append(subs, c.subscription(n))
		}
		some, err := b.createTogether(ctx, subs)
		if err != nil {
			return err
		}
		took = append(took, some...)
	}
	b.results.add(fmt.Sprintf("create → `Ready`, %d at once of one application (its budget: 10 calls, then 5 a second)", b.sizes.subscriptions), "–", "%s", took)
	return nil
}
