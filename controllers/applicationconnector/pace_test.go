package applicationconnector

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/controllers/internal/sink"
)

// TestNextLook is about what changes without an event that names the connector. Nothing like a resync comes otherwise.
func TestNextLook(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	asked := v1alpha1.SinkRef{APIVersion: "bells.example.com/v1", Kind: "Bell", Name: "door"}
	tests := map[string]struct {
		reason string
		sink   v1alpha1.SinkRef
		retry  *v1alpha1.RetryStatus
		out    outcome
		want   time.Duration
	}{
		"Settled":    {"all that it depends on tells", v1alpha1.SinkRef{APIVersion: "v1", Kind: "Service", Name: "bot"}, nil, outcome{}, 0},
		"Sink":       {"what has to be asked may move, and nobody tells", asked, nil, outcome{}, time.Hour},
		"Retry":      {"a failure says when", asked, &v1alpha1.RetryStatus{NextAttemptTime: metav1.NewTime(noon.Add(time.Minute))}, outcome{err: failure.ErrSinkNotReady}, time.Minute},
		"Unknown":    {"an overdue retry of an earlier process must not spin until it is known what works", asked, &v1alpha1.RetryStatus{NextAttemptTime: metav1.NewTime(noon.Add(-time.Minute))}, outcome{unknown: true}, time.Hour},
		"Incomplete": {"a connector whose Secret could not be read may have the same user name", asked, nil, outcome{err: failure.ErrNotRouted, incomplete: true}, lookAgain},
		"Conflict":   {"the other may be gone, though it is still remembered", asked, nil, outcome{err: failure.ErrUserNameConflict}, 15 * time.Second},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := New(Config{Clock: clocktesting.NewFakePassiveClock(noon), Sinks: sink.Resolver{Interval: time.Hour}})
			conn := &v1alpha1.ApplicationConnector{}
			conn.Spec.Sink.Ref, conn.Status.Retry = tc.sink, tc.retry
			if got := r.next(conn, tc.out); got < tc.want || got > tc.want+tc.want/20 { // sinks are spread
				t.Errorf("looks again in %s, want %s: %s", got, tc.want, tc.reason)
			}
		})
	}
}
