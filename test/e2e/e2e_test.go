//go:build e2e

package e2e

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

// limit bounds a whole run; a run on a machine with two cores takes half of it.
const limit = 15 * time.Minute

func TestEndToEnd(t *testing.T) {
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errTooLong)
	defer cancel()

	c, err := newCluster()
	if err != nil {
		t.Fatal(err)
	}
	s := newSuite(t, c)
	s.step(ctx, "claim the cluster", time.Minute, s.claim)
	s.step(ctx, "load the images", 5*time.Minute, s.loadImages)
	for _, phase := range []struct {
		name string
		run  func(context.Context, *suite)
	}{
		{"TrialByKustomize", trialByKustomize},
		{"Production", production},
		{"TrialByHelm", trialByHelm},
	} {
		t.Run(phase.name, func(t *testing.T) { phase.run(ctx, s.phase(t)) })
		if ctx.Err() != nil {
			t.Fatalf("stopped: %v", context.Cause(ctx))
		}
		if t.Failed() && keep() {
			t.Fatal("E2E_KEEP is set: nothing more is done to the cluster")
		}
	}
}
