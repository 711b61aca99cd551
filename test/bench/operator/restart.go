package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// restart measures a manager that starts among all the objects while a user edits.
func (b *bench) restart(ctx context.Context) error {
	// What the creations left to report is written within one resync.
	if err := pause(ctx, b.sizes.resync*5/4); err != nil {
		return err
	}
	if err := b.manager.stop(syscall.SIGTERM); err != nil {
		return err
	}
	b.concur.ResetRequests()
	audit, err := b.auditEnd()
	if err != nil {
		return err
	}
	start := time.Now()
	if b.manager, err = b.startManager(); err != nil {
		return err
	}
	first, err := b.editOne(ctx)
	if err != nil {
		return err
	}
	served := time.Since(start)
	took, confirmed, err := b.editUntilConfirmed(ctx, start)
	if err != nil {
		return err
	}
	reads, writes, err := b.audited(audit, edited)
	if err != nil {
		return err
	}
	calls := b.calls()
	n := b.sizes.connections
	b.results.add("restart: first user change served", "< 5 s", "%s after the start of the process", rounded(max(served, first)))
	b.results.add("restart: user changes until all are confirmed", "p99 2 s", "%s", took)
	b.results.add(fmt.Sprintf("restart: all %d confirmed `Ready`", n*b.sizes.subscriptions), "–", "%s after the start", rounded(confirmed))
	b.results.add("restart: LISTs per connection", "1", "%s", calls.listed(n))
	b.results.add("restart: API-server writes, but for the user changes", "0", "%d %s", total(writes), shown(writes))
	b.results.add("restart: API-server reads", "–", "%d %s", total(reads), shown(reads))
	return nil
}

// editUntilConfirmed edits until every connection was listed and every object was looked at.
func (b *bench) editUntilConfirmed(ctx context.Context, start time.Time) (took times, confirmed time.Duration, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer cancel()
		err := until(ctx, "all objects to be confirmed", func() (bool, error) {
			if len(b.calls().lists) < b.sizes.connections {
				return false, pause(ctx, 100*time.Millisecond) // looking is work, too
			}
			return b.idle()
		})
		confirmed = time.Since(start)
		return err
	})
	for ctx.Err() == nil {
		d, err := b.editOne(ctx)
		if err != nil {
			break // told by the group, or the end of the wait
		}
		took = append(took, d)
	}
	return took, confirmed, group.Wait()
}

// idle reports whether the manager has nothing left to look at.
func (b *bench) idle() (bool, error) {
	waiting, err := b.manager.sum("workqueue_depth")
	if err != nil || waiting > 1 { // the edited object
		return false, err
	}
	return true, nil
}

// editOne changes an object as a user does, and waits until it is Ready again.
func (b *bench) editOne(ctx context.Context) (time.Duration, error) {
	c := b.serial[b.edits%len(b.serial)]
	b.edits++
	sub := &v1alpha1.EventSubscription{}
	name := client.ObjectKeyFromObject(c.subscription(rand.IntN(b.sizes.subscriptions)))
	if err := b.client.Get(ctx, name, sub); err != nil {
		return 0, err
	}
	before := sub.DeepCopy()
	sub.Spec.Filter = fmt.Sprintf("edit-%d", b.edits)
	start := time.Now()
	if err := b.client.Patch(ctx, sub, client.MergeFrom(before)); err != nil {
		return 0, err
	}
	at, err := b.watched.until(ctx, sub)
	return at.Sub(start), err
}
