package resilience_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// company connects the application in some tests.
const company = "e6a1f1c4-8c8a-4f35-9c52-6d52f6a7a001"

func TestOwnershipSurvivesARestart(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		exists bool // at ESS, before the object
		puts   int  // until the restart
	}{
		"Made":    {reason: "what this object made is its own, whatever the spec says by now", puts: 1},
		"Adopted": {reason: "what this object adopted is its own, though it differs by now", exists: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, suite)
			if tc.exists {
				w.foreign(".*")
			}
			first := w.start()
			w.connect()
			sub := w.subscribe("reports")
			w.Expect(w.count(essemulator.OpPut)).To(gomega.Equal(tc.puts))
			first.kill()

			w.change(sub, func() {
				sub.Spec.Filter = "reportCreated"
				sub.Spec.AdoptionPolicy = v1alpha1.AdoptNever // nothing may be adopted now
			})
			w.start()
			w.eventuallySubscribed(sub)
			w.Expect(w.held()).To(gomega.Equal([]string{"reports reportCreated"}), tc.reason)
			w.Expect(w.count(essemulator.OpPut)).To(gomega.Equal(tc.puts+1), tc.reason)
		})
	}
}

func TestWhatIsForeignStaysForeignAfterARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, suite)
	w.foreign("theirs")
	first := w.start()
	w.connect()
	sub := w.subscription("reports")
	w.eventuallyReady(sub, "False", v1alpha1.AlreadyExistsReason)
	first.kill()
	w.delete(sub)
	w.start()
	w.eventuallyGone(sub)
	w.Expect(w.held()).To(gomega.Equal([]string{"reports theirs"}))
	w.Expect(w.calls(essemulator.OpPut, essemulator.OpDelete)).To(gomega.BeEmpty())
}

// resync asks the connection for a LIST, and waits for it.
func (w *world) resync(value string) {
	w.t.Helper()
	before := w.count(essemulator.OpList)
	w.poke(w.acme(), value)
	w.Eventually(func() int { return w.count(essemulator.OpList) }).Should(gomega.BeNumerically(">", before))
}

func TestContestedSurvivesARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, suite)
	first := w.start()
	w.connect()
	sub := w.subscribe("reports")
	for i := range 3 {
		w.foreign("theirs")
		w.resync(fmt.Sprint(i))
		w.Eventually(func() []string { return w.held() }).Should(gomega.Equal([]string{"reports .*"}))
		w.Eventually(func() int { return w.count(essemulator.OpGet) }).Should(gomega.Equal(2 * (i + 2)))
	}
	w.foreign("theirs")
	w.resync("again")
	w.eventuallyReady(sub, "False", v1alpha1.ContestedReason)
	first.kill()
	w.ess.ResetRequests()

	second := w.start()
	w.Eventually(func() int { return w.count(essemulator.OpTopics) }).Should(gomega.Equal(1))
	w.Consistently(func() int { return w.count(essemulator.OpPut) }, quiet).Should(gomega.Equal(0), "the restart began the contest anew")
	w.eventuallyReady(sub, "False", v1alpha1.ContestedReason)

	second.step(time.Hour)
	w.resync("an hour later")
	w.eventuallySubscribed(sub)
	w.Expect(w.held()).To(gomega.Equal([]string{"reports .*"}))
	w.Expect(w.count(essemulator.OpPut)).To(gomega.Equal(1))
}

// TestGoneFromESS tells what ESS removed after 30 days from what somebody
// removed, though the manager did not run when it happened.
func TestGoneFromESS(t *testing.T) {
	t.Parallel()
	const month = 30 * 24 * time.Hour
	tests := map[string]struct {
		reason    string
		connected bool // a company
		later     time.Duration
		removed   bool // by hand
		want      string
	}{
		"ThirtyDaysWithoutACompany": {
			reason: "ESS removes what works for nobody", later: month, want: v1alpha1.ExpiredReason,
		},
		"ByHand": {
			reason: "it was too young to expire", later: 24 * time.Hour, removed: true, want: v1alpha1.LostReason,
		},
		"ByHandAfterThirtyDaysWithACompany": {
			reason: "with a company it does not expire", connected: true, later: month, removed: true, want: v1alpha1.LostReason,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			concur := essemulator.NewClock(0, true)
			w := newWorld(t, suite, essemulator.WithClock(concur))
			first := w.start()
			w.connect()
			sub := w.subscribe("reports")
			if tc.connected {
				w.Expect(w.ess.ConnectCompany(appID, company)).To(gomega.Succeed())
			}
			w.request(sub, "now")
			w.expectAtRisk(sub, !tc.connected)
			first.kill()

			concur.Step(tc.later)
			if tc.removed {
				w.ess.RemoveSubscription(w.namespace + ".reports")
			}
			w.Expect(w.held()).To(gomega.BeEmpty(), tc.reason)
			w.ess.ResetRequests()
			w.start(func(s *childSettings) { s.Ahead = tc.later })
			w.request(sub, "later")
			w.eventuallySubscribed(sub)
			if c := condition(sub, v1alpha1.CompaniesConnectedCondition); c.Status != "False" || c.Reason != tc.want {
				t.Errorf("CompaniesConnected is %s %s, want %s: %s", c.Status, c.Reason, tc.want, tc.reason)
			}
			w.Expect(w.held()).To(gomega.Equal([]string{"reports .*"}))
			w.Expect(w.count(essemulator.OpPut)).To(gomega.Equal(1))
		})
	}
}

// expectAtRisk holds AtRisk to naming the day on which ESS may remove the subscription.
func (w *world) expectAtRisk(sub *v1alpha1.EventSubscription, want bool) {
	w.t.Helper()
	risk := condition(sub, v1alpha1.AtRiskCondition)
	if !want || risk == nil {
		w.Expect(risk != nil).To(gomega.Equal(want), "at risk")
		return
	}
	companies := condition(sub, v1alpha1.CompaniesConnectedCondition)
	w.Expect(risk.Message).To(gomega.ContainSubstring(companies.LastTransitionTime.AddDate(0, 0, 30).UTC().Format(time.DateOnly)))
}
