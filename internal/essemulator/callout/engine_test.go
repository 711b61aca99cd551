package callout_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/essemulator/callout"
)

// contexts are the contexts of the posts so far, in order.
func (b *bench) contexts() (out []string) {
	for _, a := range b.got() {
		_, rest, _ := strings.Cut(a.Body, "<Context>")
		text, _, _ := strings.Cut(rest, "</Context>")
		out = append(out, text)
	}
	return out
}

func TestQueueIsFirstComeFirstServed(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	b.run()
	var want []string
	for _, c := range "abcdefghijklmnopqrstuvwxyz" {
		want = append(want, string(c))
	}
	b.publish(want...)
	b.settle()
	if diff := cmp.Diff(want, b.contexts()); diff != "" {
		t.Errorf("order of arrival (-want +got):\n%s", diff)
	}
	if got := slices.Compact(b.outcomes()); len(got) != 1 || got[0] != callout.Delivered {
		t.Errorf("outcomes: %v", got)
	}
}

func TestOneCalloutOfAConnectorAtATime(t *testing.T) {
	t.Parallel()
	var underway, most atomic.Int32
	b := newBench(t, func(http.ResponseWriter, *http.Request) {
		if n := underway.Add(1); n > most.Load() {
			most.Store(n)
		}
		underway.Add(-1)
	}, nil)
	b.run()
	b.publish("a", "b", "c", "d", "e", "f")
	b.settle()
	if most.Load() != 1 {
		t.Errorf("%d at once, want 1", most.Load())
	}
}

func TestWhetherAFailureBlocksTheQueue(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason   string
		blocking bool
		want     []string
	}{
		"blocking": {"the first holds the rest until it has FAILED", true, []string{"bad", "bad", "bad", "one", "two"}},
		"passing":  {"the rest goes by while the first waits", false, []string{"bad", "one", "two", "bad", "bad"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b *bench
			b = newBench(t, func(w http.ResponseWriter, _ *http.Request) {
				if all := b.contexts(); all[len(all)-1] == "bad" {
					w.WriteHeader(http.StatusServiceUnavailable)
				}
			}, func(a *callout.Assumptions) { a.Blocking = tc.blocking })
			b.run()
			b.publish("bad", "one", "two")
			b.settle()
			b.step(time.Minute)
			b.step(time.Minute)
			if diff := cmp.Diff(tc.want, b.contexts()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			want := []callout.Outcome{callout.GivenUp, callout.Delivered, callout.Delivered}
			if diff := cmp.Diff(want, b.outcomes()); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnswersOfAConnector(t *testing.T) {
	t.Parallel()
	for status, strict := range map[int]bool{
		200: true, 201: false, 202: false, 204: false, 301: false, 400: false, 401: false, 404: false, 500: false, 503: false,
	} {
		for _, any2xx := range []bool{false, true} {
			b := newBench(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(status)
			}, func(a *callout.Assumptions) { a.Attempts, a.Any2xx = 1, any2xx })
			b.run()
			b.publish("")
			b.settle()
			want := callout.GivenUp
			if strict || any2xx && status < 300 {
				want = callout.Delivered
			}
			got := b.service.Ledger()[0]
			if got.Outcome != want || len(got.Attempts) != 1 || got.Attempts[0].Status != status {
				t.Errorf("%d with any-2xx=%v: %s after %+v, want %s", status, any2xx, got.Outcome, got.Attempts, want)
			}
		}
	}
}

func TestAttemptsAndIntervalAreAssumed(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		func(a *callout.Assumptions) { a.Attempts, a.Interval = 4, 10*time.Minute })
	b.run()
	start := b.clock.Now()
	b.publish("")
	b.settle()
	for range 60 {
		b.step(time.Minute)
	}
	var minutes []float64
	for _, a := range b.service.Ledger()[0].Attempts {
		minutes = append(minutes, a.Time.Sub(start).Minutes())
	}
	if diff := cmp.Diff([]float64{0, 10, 20, 30}, minutes); diff != "" {
		t.Errorf("minutes of attempts (-want +got):\n%s", diff)
	}
}

func TestSlowConnectorTimesOut(t *testing.T) {
	t.Parallel()
	reached := make(chan struct{})
	b := newBench(t, func(_ http.ResponseWriter, r *http.Request) {
		close(reached)
		<-r.Context().Done()
	}, func(a *callout.Assumptions) { a.Attempts = 1 })
	b.run()
	b.publish("")
	<-reached
	b.step(time.Minute)
	got := b.service.Ledger()[0]
	if got.Outcome != callout.GivenUp || got.Attempts[0].Error != "waiting 1m0s: no acknowledgement in time" {
		t.Errorf("%s after %+v", got.Outcome, got.Attempts)
	}
}

func TestBrokenAnswerIsAFailureEvenAfter200(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}, nil)
	b.run()
	b.publish("")
	b.settle()
	got := b.service.Ledger()[0]
	if got.Outcome != callout.Queued || got.Attempts[0].Status != 200 || got.Attempts[0].Error == "" {
		t.Errorf("%s after %+v, want it queued", got.Outcome, got.Attempts)
	}
}

func TestSlowConnectorHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	slow := make(chan struct{})
	b.answer = func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-slow
		}
	}
	other := b.connector("slow")
	other.Path = "/slow"
	b.put(other)
	b.run()
	if n, err := b.service.Publish(callout.Target{CompanyID: company}, report("")); n != 2 || err != nil {
		t.Fatalf("Publish = %d, %v; want both connectors of the company", n, err)
	}
	b.eventually(func() bool { return slices.Contains(b.outcomes(), callout.Delivered) })
	if got := b.service.Ledger()[1]; got.Connector != "slow" || got.Outcome != callout.Queued {
		t.Errorf("%s is %s, want it under way", got.Connector, got.Outcome)
	}
	close(slow)
	b.settle()
}

func TestStoppedEngineKeepsWhatItHadInHand(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 1)
	b := newBench(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case arrived <- struct{}{}:
			<-r.Context().Done()
		default:
		}
	}, nil)
	if _, err := b.service.TestConnection(t.Context(), "reports"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); b.service.Run(ctx) }()
	b.publish("")
	b.eventually(func() bool { return len(arrived) == 1 })
	cancel()
	<-done
	if got := b.service.Ledger()[0]; got.Outcome != callout.Queued || len(got.Attempts) != 0 {
		t.Errorf("a stopped attempt left %+v", got)
	}
	b.run()
	b.settle()
	if got := b.outcomes(); got[0] != callout.Delivered {
		t.Errorf("after starting again: %v", got)
	}
}

// eventually waits until something that other goroutines bring about is so.
func (b *bench) eventually(is func() bool) {
	b.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for !is() {
		select {
		case <-tick.C:
		case <-limit:
			b.t.Fatal("did not come about in a minute")
		}
	}
}
