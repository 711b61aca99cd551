package resilience_test

import (
	"testing"
	"time"

	"github.com/onsi/gomega"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// TestBackOffSurvivesARestart: a manager that crashes in a loop must not turn
// its back-off into a hail of calls.
func TestBackOffSurvivesARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, suite)
	first := w.start()
	w.connect()
	w.ess.InjectFault(essemulator.Fault{Operation: essemulator.OpPut, Status: 429})
	sub := w.subscription("reports")
	w.Eventually(func() int32 {
		w.Expect(w.read(sub)).To(gomega.Succeed())
		if sub.Status.Retry == nil {
			return 0
		}
		return sub.Status.Retry.Attempts
	}).Should(gomega.BeNumerically(">=", 5), "the fifth pause lasts 8 s or more")
	first.kill()

	w.Expect(w.read(sub)).To(gomega.Succeed())
	attempts, due := sub.Status.Retry.Attempts, sub.Status.Retry.NextAttemptTime.Time
	w.ess.ResetRequests()
	w.start()
	w.Expect(time.Until(due)).To(gomega.BeNumerically(">", 0), "the pause was over before the restart, so that nothing is shown")
	w.Eventually(func() int { return w.count(essemulator.OpPut) }).Should(gomega.Equal(1))
	for _, r := range w.ess.Requests() {
		if r.Operation == essemulator.OpPut && r.Time.Before(due) {
			t.Errorf("tried again at %s, though due at %s", r.Time, due)
		}
	}
	w.Eventually(func() int32 {
		w.Expect(w.read(sub)).To(gomega.Succeed())
		return sub.Status.Retry.Attempts
	}).Should(gomega.Equal(attempts+1), "the count went on")
	w.ess.ClearFaults()
	w.eventuallySubscribed(sub)
}
