package main

import (
	"context"
	"fmt"
	"time"
)

// populate creates everything that is still missing, and waits until all of it works.
func (b *bench) populate(ctx context.Context) error {
	var missing []connection
	for i := 0; b.apps < b.sizes.connections; i++ {
		namespace := fmt.Sprintf("team-%03d", i/perNamespace)
		if i%perNamespace == 0 {
			if err := b.namespace(ctx, namespace); err != nil {
				return err
			}
		}
		missing = append(missing, b.application(namespace))
	}
	if err := b.createForeign(ctx); err != nil {
		return err
	}
	start := time.Now()
	if err := b.createAll(ctx, missing); err != nil {
		return err
	}
	created := time.Since(start)
	err := until(ctx, "all subscriptions to be Ready", func() (bool, error) {
		return b.watched.count() >= b.sizes.connections*b.sizes.subscriptions, nil
	})
	b.results.add(fmt.Sprintf("%d connections and their subscriptions, created within %s: first create → all `Ready`", len(missing), rounded(created)),
		"–", "%s", rounded(time.Since(start)))
	return err
}
