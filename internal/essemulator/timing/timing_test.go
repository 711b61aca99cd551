package timing_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ess-operator/ess-operator/internal/essemulator/timing"
)

func TestSleepEndsWithTheFirstReason(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		next, change, patience time.Duration // zero is never
		want                   time.Duration
	}{
		"time":        {time.Minute, time.Hour, time.Hour, time.Minute},
		"change":      {time.Hour, time.Minute, time.Hour, time.Minute},
		"context":     {time.Hour, 0, time.Minute, time.Minute},
		"nothing due": {0, time.Hour, 0, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start, change := time.Now(), make(chan struct{})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tc.change > 0 {
					time.AfterFunc(tc.change, func() { close(change) })
				}
				if tc.patience > 0 {
					time.AfterFunc(tc.patience, cancel)
				}
				next := time.Time{}
				if tc.next > 0 {
					next = start.Add(tc.next)
				}
				timing.Sleep(ctx, clock.RealClock{}, change, next)
				if got := time.Since(start); got != tc.want {
					t.Errorf("slept for %v, want %v", got, tc.want)
				}
			})
		})
	}
}

func TestTimeOutFollowsTheClock(t *testing.T) {
	t.Parallel()
	fake := clocktesting.NewFakeClock(time.Unix(1e9, 0))
	ctx, cancel := timing.WithTimeout(t.Context(), fake, time.Hour)
	defer cancel()
	if fake.Step(time.Hour - 1); ctx.Err() != nil {
		t.Error("a moment early")
	}
	fake.Step(1)
	<-ctx.Done()
	broken := errors.New("broken")
	if err := timing.Explain(ctx, time.Hour, broken); !errors.Is(err, timing.ErrTimeout) {
		t.Errorf("after the time-out: %v", err)
	}
	if err := timing.Explain(ctx, time.Hour, nil); err != nil {
		t.Errorf("a success stays one: %v", err)
	}
	other, end := timing.WithTimeout(t.Context(), fake, time.Hour)
	end()
	if err := timing.Explain(other, time.Hour, broken); !errors.Is(err, broken) || fake.HasWaiters() {
		t.Errorf("after cancel: %v, a timer is left: %v", err, fake.HasWaiters())
	}
}
