package eventsubscription

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/controllers/internal/sink"
	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/session"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// failing is an object with a failure in its status, to be tried again at a time.
func failing(again time.Time) *v1alpha1.EventSubscription {
	return &v1alpha1.EventSubscription{Status: v1alpha1.EventSubscriptionStatus{
		Retry: &v1alpha1.RetryStatus{Attempts: 1, NextAttemptTime: metav1.NewTime(again)},
	}}
}

func TestNextLook(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		again  time.Time
		out    outcome
		want   time.Duration
	}{
		"Due":     {"the failure of this pass says when", noon.Add(time.Minute), outcome{err: ess.ErrTimeout}, time.Minute},
		"Poll":    {"the earlier of the two", noon.Add(time.Minute), outcome{poll: time.Second}, time.Second},
		"Waiting": {"an overdue retry must not spin while the connection is not listed", noon.Add(-time.Hour), outcome{err: errNotYet}, 0},
		"Deleted": {"a deletion that waits for a listing must give up some day", noon.Add(-time.Hour), outcome{err: errNotYet, poll: time.Minute}, time.Minute},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &Reconciler{cfg: Config{Clock: clocktesting.NewFakePassiveClock(noon)}}
			if got := r.next(failing(tc.again), tc.out); got != tc.want {
				t.Errorf("looks again in %s, want %s: %s", got, tc.want, tc.reason)
			}
		})
	}
}

func TestTooEarly(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		again  time.Time
		want   bool
	}{
		"Waits":      {"the time has not come", noon.Add(time.Hour), true},
		"Due":        {"the time has come", noon, false},
		"WrongClock": {"no failure waits for a year: the clock was wrong when this was written", noon.AddDate(1, 0, 0), false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &Reconciler{cfg: Config{Clock: clocktesting.NewFakePassiveClock(noon)}}
			if got := r.tooEarly(failing(tc.again)); got != tc.want {
				t.Errorf("too early is %v, want %v: %s", got, tc.want, tc.reason)
			}
		})
	}
}

// TestNextLookOfTheUnwoken is about what changes without an event that names the object.
func TestNextLookOfTheUnwoken(t *testing.T) {
	t.Parallel()
	asked := v1alpha1.Sink{Ref: v1alpha1.SinkRef{APIVersion: "bells.example.com/v1", Kind: "Bell", Name: "door"}}
	cases := map[string]struct {
		reason string
		sub    v1alpha1.EventSubscriptionSpec
		out    outcome
		want   time.Duration
	}{
		"Settled": {"the next listing tells", v1alpha1.EventSubscriptionSpec{}, outcome{}, 0},
		"Quota":   {"those that come first may be suspended, or go through a connection that ceases to work", v1alpha1.EventSubscriptionSpec{}, outcome{err: session.ErrQuota}, 15 * time.Second},
		"Rival":   {"it may turn to another application", v1alpha1.EventSubscriptionSpec{}, outcome{err: failure.ErrIDConflict}, 15 * time.Second},
		"Sink":    {"it may move, while the connection is suspended", v1alpha1.EventSubscriptionSpec{Sink: asked}, outcome{err: failure.ErrConnectionNotReady}, time.Hour},
		"Dead":    {"it may move as well", v1alpha1.EventSubscriptionSpec{Delivery: v1alpha1.Delivery{DeadLetterSink: asked}}, outcome{}, time.Hour},
		"Both":    {"the earlier of the two", v1alpha1.EventSubscriptionSpec{Sink: asked}, outcome{err: session.ErrQuota}, 15 * time.Second},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &Reconciler{cfg: Config{Clock: clocktesting.NewFakePassiveClock(noon), Sinks: sink.Resolver{Interval: time.Hour}}}
			got := r.next(&v1alpha1.EventSubscription{Spec: tc.sub}, tc.out)
			if got < tc.want || got > tc.want+tc.want/20 { // sinks are spread
				t.Errorf("looks again in %s, want %s: %s", got, tc.want, tc.reason)
			}
		})
	}
}

// TestDeletionWaitsForAListingNotForEver deletes an object whose connection cannot be set up, because the API server
// does not give its Secret out.
func TestDeletionWaitsForAListingNotForEver(t *testing.T) {
	t.Parallel()
	clk := clocktesting.NewFakePassiveClock(noon)
	r := New(Config{Clock: clk})
	sub := &v1alpha1.EventSubscription{ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: new(metav1.NewTime(noon))}}
	out := r.delayed(sub, errNotYet)
	if next := r.next(sub, out); out.gone || next <= 0 || next > maxDeletionPause {
		t.Errorf("at first: gone is %t, looks again in %s", out.gone, next)
	}
	clk.SetTime(noon.Add(giveUpTrying))
	if out := r.delayed(sub, errNotYet); !out.gone || out.orphan == "" {
		t.Errorf("after %s: gone is %t, leaving %q", giveUpTrying, out.gone, out.orphan)
	}
}

// TestNewSpecWaitsForNoOldFailure lets a pass see a new spec that cannot go on to ESS yet: it notes the generation, and
// the pass after it must not take the failure of the former spec for its own.
func TestNewSpecWaitsForNoOldFailure(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason   string
		observed int64
		want     bool
	}{
		"NewSpec":  {"what failed was another spec", 1, false},
		"SameSpec": {"it is still what failed", 2, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &Reconciler{cfg: Config{Clock: clocktesting.NewFakePassiveClock(noon)}}
			sub := failing(noon.Add(time.Hour))
			sub.Generation, sub.Status.ObservedGeneration = 2, tc.observed
			outcome{err: errNotYet}.report(sub, noon)
			if got := r.tooEarly(sub); got != tc.want {
				t.Errorf("has to wait: %t, want %t: %s", got, tc.want, tc.reason)
			}
		})
	}
}

// TestStandbyHasTriedNothing takes over deletions that an operator before it could not finish: it must not give up
// without a try because it has waited, idle, for days.
func TestStandbyHasTriedNothing(t *testing.T) {
	t.Parallel()
	clock := clocktesting.NewFakePassiveClock(noon)
	r := New(Config{Clock: clock})
	sub := failing(noon)
	sub.DeletionTimestamp = &metav1.Time{Time: noon.Add(time.Hour)}
	clock.SetTime(noon.Add(48 * time.Hour))
	if _, err := r.Reconcile(t.Context(), sub); err != nil { // released: only its beginning counts
		t.Fatal(err)
	}
	if waited := r.waited(sub); waited != 0 {
		t.Errorf("says that it has tried for %s", waited)
	}
}
