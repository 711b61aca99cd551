package main

import (
	"context"
	"syscall"
	"time"
)

// failOver measures how soon a standby serves a user's change when the leader
// is killed, and when it is stopped.
func (b *bench) failOver(ctx context.Context) error {
	if err := b.manager.stop(syscall.SIGTERM); err != nil {
		return err
	}
	leader, err := b.startStandby(ctx)
	if err != nil {
		return err
	}
	b.manager = leader
	for _, end := range []struct {
		what   string
		signal syscall.Signal
	}{
		{"leader killed (its Lease runs out after 15 s) → next change served by the standby", syscall.SIGKILL},
		{"leader stopped (it gives its Lease back) → next change served by the standby", syscall.SIGTERM},
	} {
		if err := b.settle(ctx); err != nil {
			return err
		}
		standby, err := b.startStandby(ctx)
		if err != nil {
			return err
		}
		if err := b.succeed(ctx, end.what, end.signal, standby); err != nil {
			return err
		}
	}
	return nil
}

// startStandby starts a manager that works only when it holds the Lease.
func (b *bench) startStandby(ctx context.Context) (*manager, error) {
	m, err := b.startManager("--leader-elect", "--leader-election-namespace=default")
	if err != nil {
		return nil, err
	}
	return m, m.ready(ctx)
}

// settle waits until the manager at work serves changes and has looked at everything.
func (b *bench) settle(ctx context.Context) error {
	if _, err := b.editOne(ctx); err != nil {
		return err
	}
	return until(ctx, "the leader to have looked at everything", b.idle)
}

// succeed ends the leader and measures its successor.
func (b *bench) succeed(ctx context.Context, what string, signal syscall.Signal, standby *manager) error {
	if err := pause(ctx, 2*time.Second); err != nil { // the standby settles, too
		return err
	}
	waiting, err := standby.memory("VmRSS")
	if err != nil {
		return err
	}
	start := time.Now()
	leader := b.manager
	b.manager = standby
	if err := leader.cmd.Process.Signal(signal); err != nil {
		return err
	}
	if _, err := b.editOne(ctx); err != nil {
		return err
	}
	b.results.add(what, "–", "%s; the standby had %.0f MB", rounded(time.Since(start)), waiting)
	return leader.stop(syscall.SIGKILL)
}
