package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/ess"
)

func TestBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, l, transport := governedLine(Limit{PerSecond: 5, Burst: 2})
		for range 12 {
			wantNoError(t, send(t.Context(), transport, "call"))
		}
		made := l.made()
		if got := made[len(made)-1]; got != "call 2s" {
			t.Errorf("with 5 a second and bursts of 2, the twelfth call is made after 2s, not %q", got)
		}
	})
}

func TestTurnsGoByUrgency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, l, transport := governedLine(Limit{PerSecond: 1, Burst: 1})
		wantNoError(t, send(t.Context(), transport, "first"))
		var done []<-chan error
		for _, arrival := range []struct {
			name string
			with func(context.Context) context.Context
		}{
			{"resync", urgently(Resync)},
			{"change", urgently(Change)},
			{"plain", func(ctx context.Context) context.Context { return ctx }},
			{"delete", urgently(Delete)},
			{"token", urgently(Resync)}, // all others wait for it, whoever asks
			{"later", urgently(Resync)},
		} {
			done = append(done, begin(arrival.with(t.Context()), transport, arrival.name))
			synctest.Wait()
		}
		for _, err := range done {
			wantNoError(t, <-err)
		}
		want := []string{"first 0s", "delete 1s", "token 2s", "change 3s", "plain 4s", "resync 5s", "later 6s"}
		if diff := cmp.Diff(want, l.made()); diff != "" {
			t.Errorf("order of calls (-want +got):\n%s", diff)
		}
	})
}

func urgently(u Urgency) func(context.Context) context.Context {
	return func(ctx context.Context) context.Context { return WithUrgency(ctx, u) }
}

// TestNothingStarves lets more changes come than the budget has turns for.
func TestNothingStarves(t *testing.T) {
	t.Parallel()
	for _, load := range []Urgency{Change, Delete} {
		t.Run(load.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, l, transport := governedLine(Limit{PerSecond: 10, Burst: 1})
				busy, cancel := context.WithCancel(WithUrgency(t.Context(), load))
				resync := begin(WithUrgency(t.Context(), Resync), transport, "resync")
				for range 200 { // 20 s with 11 a second
					go func() { _ = send(busy, transport, "busy") }()
					<-time.After(time.Second / 11)
				}
				cancel()
				wantNoError(t, <-resync)
				made := slices.IndexFunc(l.made(), func(call string) bool { return strings.HasPrefix(call, "resync") })
				if took := time.Duration(made) * time.Second / 10; made < 0 || took > 10*time.Second {
					t.Errorf("the resync had its turn after %v", took)
				}
			})
		})
	}
}

func TestCallThatComesTooLateFailsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, l, transport := governedLine(Limit{PerSecond: 1, Burst: 1})
		wantNoError(t, send(t.Context(), transport, "first"))
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		start := time.Now()
		err := send(ctx, transport, "late")
		if waited := time.Since(start); waited > 0 {
			t.Errorf("it waited %v for a turn that leaves it half a second to be answered", waited)
		}
		for _, want := range []error{context.DeadlineExceeded, ErrBudget, ess.ErrRateLimited} {
			if !errors.Is(err, want) {
				t.Errorf("%v is not %v", err, want)
			}
		}
		if got := ess.RetryAfter(err); got != time.Second {
			t.Errorf("it is told to come back after %v, want 1s", got)
		}
		if got := l.made(); len(got) != 1 {
			t.Errorf("calls %v", got)
		}
	})
}

func TestCallThatIsOvertakenTooOftenFailsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, l, transport := governedLine(Limit{PerSecond: 1, Burst: 1})
		wantNoError(t, send(t.Context(), transport, "first"))
		ctx, cancel := context.WithTimeout(WithUrgency(t.Context(), Resync), 3*time.Second)
		defer cancel()
		start := time.Now()
		resync := begin(ctx, transport, "resync")
		synctest.Wait()
		var others []<-chan error
		for range 2 {
			others = append(others, begin(WithUrgency(t.Context(), Delete), transport, "delete"))
		}
		if err := <-resync; !errors.Is(err, ErrBudget) || time.Since(start) > 0 {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
		for _, err := range others {
			wantNoError(t, <-err)
		}
		if diff := cmp.Diff([]string{"first 0s", "delete 1s", "delete 2s"}, l.made()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
	})
}

func TestCallThatGivesUpLeavesTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, l, transport := governedLine(Limit{PerSecond: 1, Burst: 1})
		wantNoError(t, send(t.Context(), transport, "first"))
		ctx, cancel := context.WithCancel(t.Context())
		impatient := begin(ctx, transport, "impatient")
		synctest.Wait()
		patient := begin(t.Context(), transport, "patient")
		synctest.Wait()
		cancel()
		if err := <-impatient; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		wantNoError(t, <-patient)
		if diff := cmp.Diff([]string{"first 0s", "patient 1s"}, l.made()); diff != "" {
			t.Errorf("who gave up took a turn (-want +got):\n%s", diff)
		}
		if err := send(ctx, transport, "dead"); !errors.Is(err, context.Canceled) || len(l.made()) != 2 {
			t.Errorf("a call that was over before it began: %v, calls %v", err, l.made())
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.timer != nil || len(g.budget.queue) > 0 {
			t.Error("something is left though nobody waits")
		}
	})
}
