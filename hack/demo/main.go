// Command demo shows the main job on real parts: a control plane built from
// source, the ESS emulator, the manager and the receiver, all on loopback. It applies the
// samples with kubectl and prints each command, so that a reader can go on by
// hand. Everything is removed at the end; with KEEP=1 it stays until Ctrl-C.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo:", err)
		stop()
		os.Exit(1)
	}
}

// run plays all scenes and cleans up, however it ends.
func run(ctx context.Context) (err error) {
	s, err := newStage()
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := s.close(); err == nil {
			err = closeErr
		}
	}()
	for _, scene := range []func(context.Context) error{
		s.startControlPlane, s.startEmulator, s.startManager, s.startReceiver,
		s.subscribe, s.connectCompany, s.deliverEvents, s.deliverTwice, s.forge, s.outage,
		s.callout, s.recover,
		s.edit, s.misconfigure, s.showDelivery, s.remove,
	} {
		if err := scene(ctx); err != nil {
			return err
		}
	}
	return s.keep(ctx)
}
