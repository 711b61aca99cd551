//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

var errTooLong = errors.New("the whole run takes longer than it may")

// suite is the cluster under test, for one phase.
type suite struct {
	*cluster
	t       *testing.T
	started time.Time
}

func newSuite(t *testing.T, c *cluster) *suite {
	return &suite{cluster: c, t: t, started: time.Now()}
}

// phase is the same suite whose failures belong to t. What goes wrong in it is described before the next one
// changes the cluster.
func (s *suite) phase(t *testing.T) *suite {
	p := &suite{cluster: s.cluster, t: t, started: s.started}
	t.Cleanup(func() {
		if t.Failed() {
			p.describe()
		}
		if t.Failed() && keep() {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), cleanupLimit)
		defer cancel()
		if err := p.wipe(ctx); err != nil {
			t.Errorf("cleaning up: %v", err)
		}
	})
	return p
}

// keep tells whether the state of a failure is to stay for a person to look at.
func keep() bool { return os.Getenv("E2E_KEEP") != "" }

// step does one thing and prints how long it took. It fails, and ends the phase, when that is longer than the limit.
func (s *suite) step(ctx context.Context, what string, limit time.Duration, do func(context.Context)) {
	s.t.Helper()
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%q takes longer than %s", what, limit))
	defer cancel()
	start, verdict, failed := time.Now(), "FAIL", s.t.Failed()
	defer func() {
		now := time.Now()
		fmt.Printf("e2e: %6.1f s  %-4s  %-70s %6.1f s\n", now.Sub(s.started).Seconds(), verdict, what, now.Sub(start).Seconds())
	}()
	do(ctx)
	if s.t.Failed() && !failed { // a step may follow a failure, to clean up
		s.t.FailNow()
	}
	verdict = "ok"
}

// skip prints why something cannot be shown here.
func (s *suite) skip(what, why string) {
	fmt.Printf("e2e: %6.1f s  skip  %s: %s\n", time.Since(s.started).Seconds(), what, why)
}

// note prints a number that a step came to.
func (s *suite) note(format string, args ...any) {
	fmt.Printf("e2e:                 - "+format+"\n", args...)
}

// eventually asks until the answer is nil or the step's time is over.
func (s *suite) eventually(ctx context.Context, what string, ask func(context.Context) error) {
	s.t.Helper()
	var last error
	err := wait.PollUntilContextCancel(ctx, 300*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		if err := ask(ctx); ctx.Err() == nil { // an answer that was cut short says nothing
			last = err
		}
		return last == nil && ctx.Err() == nil, nil
	})
	if err != nil {
		s.t.Fatalf("waiting until %s: %v; last: %v", what, context.Cause(ctx), last)
	}
}

// must ends the phase on an error.
func (s *suite) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}
