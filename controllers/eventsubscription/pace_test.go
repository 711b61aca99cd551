package eventsubscription

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/ess"
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
