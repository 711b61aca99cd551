package operator_test

import (
	"testing"
	"time"

	"github.com/onsi/gomega"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// putTroubles are the answers to PUT, most of them from "SAP Concur, HTTP Status Codes".
var putTroubles = map[string]trouble{
	"400": {
		reason: "the same spec is refused again", fault: refused(400),
		want: v1alpha1.RejectedReason, stalled: true, final: true, says: []string{words, "HTTP 400", "correct the spec"},
	},
	"400Deadlock": {
		reason: "a database deadlock is no fault of the request",
		fault:  essemulator.Fault{Status: 400, Body: `{"message":"Transaction was deadlocked"}`},
		want:   v1alpha1.UnavailableReason, says: []string{"deadlocked", "tries again"},
	},
	"401": {
		reason: "a fresh token is refused too, and the scope is granted at Concur, where nothing wakes us", fault: refused(401),
		want: v1alpha1.UnauthorizedReason, stalled: true, says: []string{words, "HTTP 401", "events.topic.read"},
	},
	"403": {
		reason: "a fresh token is refused too, while reads work", fault: refused(403),
		want: v1alpha1.ForbiddenReason, stalled: true, final: true, says: []string{words, "HTTP 403", "scopes"},
	},
	"404": {
		reason: "PUT exists at ESS, so that this is not ESS", fault: refused(404),
		want: v1alpha1.InvalidResponseReason, says: []string{words, "HTTP 404", "check baseURL, apiURL"},
	},
	"409": {
		reason: "ids are unique in all of ESS", fault: refused(409),
		want: v1alpha1.IDTakenReason, stalled: true, final: true, says: []string{words, "HTTP 409", "another subscriptionID"},
	},
	"429": {
		reason: "Concur names the time to come back",
		fault:  essemulator.Fault{Status: 429, Body: spoken, RetryAfter: "3"},
		want:   v1alpha1.RateLimitedReason, says: []string{words, "HTTP 429", "waits"},
	},
	"500": {
		reason: "server errors pass", fault: refused(500),
		want: v1alpha1.UnavailableReason, says: []string{words, "HTTP 500", "tries again"},
	},
	"503": {
		reason: "maintenance passes",
		fault:  essemulator.Fault{Status: 503, Body: spoken, RetryAfter: "3"},
		want:   v1alpha1.UnavailableReason, says: []string{words, "HTTP 503", "tries again"},
	},
	"Redirect": {
		reason: "tokens do not follow redirects", fault: essemulator.Fault{Status: 302},
		want: v1alpha1.InvalidResponseReason, says: []string{"redirects are not followed"},
	},
	"Hanging": {
		reason: "a call ends though Concur does not", fault: essemulator.Fault{Hang: true},
		want: v1alpha1.TimeoutReason, says: []string{"no answer in time", "127.0.0.1", "network path"},
	},
	"Resetting": {
		reason: "connections break", fault: essemulator.Fault{Reset: true},
		want: v1alpha1.UnreachableReason, says: []string{"no connection", "network path"},
	},
	"5MiB": {
		reason: "no answer of ESS is that large", fault: essemulator.Fault{BodySize: 5 << 20},
		want: v1alpha1.InvalidResponseReason, says: []string{"more than 1 MiB", "check baseURL, apiURL"},
	},
	"GarbageAndNothingDone": {
		reason: "success is what a read shows, not what a PUT answers", fault: essemulator.Fault{Garbage: true},
		want: v1alpha1.ProgressingReason, says: []string{"does not show it yet"},
	},
}

func TestPutFails(t *testing.T) {
	t.Parallel()
	runTroubles(t, putTroubles, essemulator.OpPut, func(w *world, tr trouble) {
		conn := w.connect()
		w.ess.ResetRequests()
		w.ess.InjectFault(tr.fault)
		start := time.Now()
		sub := w.subscription("reports")
		w.create(sub)
		w.eventuallyReady(sub, "False", tr.want)
		w.checkTrouble(sub, tr)
		if c := condition(sub, v1alpha1.SyncedCondition); c.Status != "False" || c.Reason != tr.want {
			w.t.Errorf("Synced is %+v", c)
		}
		w.failedAgain(sub, tr)
		for _, operation := range []string{essemulator.OpPut, essemulator.OpGet, essemulator.OpList, essemulator.OpToken} {
			w.checkBounded(tr, operation, start)
		}
		w.eventuallyReady(conn, "True", v1alpha1.ConnectedReason)

		w.ess.ClearFaults()
		cleared := time.Now()
		if tr.final {
			w.stayStalled(conn, sub, len(w.calls(essemulator.OpPut)))
		}
		w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
		w.checkHeld(sub)
		w.checkConnected(sub, v1alpha1.NoCompaniesReason)
		// None is as good: one that was on its way when the faults ended may be what ESS now holds.
		if got := w.putsAfter(cleared); got > 1 {
			w.t.Errorf("%d PUTs for the recovery, want 1: %v", got, w.calls(essemulator.OpPut))
		}
	})
}

// putsAfter counts the PUTs that arrived after a time.
func (w *world) putsAfter(at time.Time) (n int) {
	for _, r := range w.ess.Requests() {
		if r.Operation == essemulator.OpPut && r.Time.After(at) {
			n++
		}
	}
	return n
}

// stayStalled fails when a resync sends again what was refused for good, and then asks for it.
func (w *world) stayStalled(conn *v1alpha1.ConcurConnection, sub *v1alpha1.EventSubscription, puts int) {
	w.t.Helper()
	lists := len(w.calls(essemulator.OpList))
	w.annotate(conn, "resync")
	w.Eventually(func() int { return len(w.calls(essemulator.OpList)) }).Should(gomega.BeNumerically(">", lists))
	w.Consistently(func() int { return len(w.calls(essemulator.OpPut)) }, "500ms").Should(gomega.Equal(puts))
	w.request(sub, "again")
}

// TestAnswerLost is about PUTs that ESS did while the answer did not arrive, or said something else.
func TestAnswerLost(t *testing.T) {
	t.Parallel()
	cases := map[string]trouble{
		"Reset":      {reason: "the connection broke after the write", fault: essemulator.Fault{Reset: true}, want: v1alpha1.UnreachableReason},
		"TimedOut":   {reason: "the answer came too late", fault: essemulator.Fault{Hang: true}, want: v1alpha1.TimeoutReason},
		"500":        {reason: "something broke after the write", fault: refused(500), want: v1alpha1.UnavailableReason},
		"5MiB":       {reason: "a proxy spoilt the answer", fault: essemulator.Fault{BodySize: 5 << 20}, want: v1alpha1.InvalidResponseReason},
		"Garbage":    {reason: "the answer to a PUT tells nothing that the read does not", fault: essemulator.Fault{Garbage: true}},
		"OtherShape": {reason: "the answer to a PUT is hardly documented", fault: essemulator.Fault{Body: `[]`}},
	}
	runTroubles(t, cases, essemulator.OpPut, func(w *world, tr trouble) {
		tr.fault.After = true
		w.connect()
		w.ess.InjectFault(tr.fault)
		sub := w.subscription("reports")
		w.create(sub)
		if tr.want != "" {
			w.eventuallyReady(sub, "False", tr.want)
			w.checkTrouble(sub, tr)
		}
		w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason) // the fault goes on, and no PUT is needed
		w.checkHeld(sub)
		w.checkConnected(sub, v1alpha1.NoCompaniesReason)
		w.Expect(w.calls(essemulator.OpPut)).To(gomega.HaveLen(1))
		w.delete(sub)
		w.Expect(w.ess.Subscriptions(appID)).To(gomega.BeEmpty())
	})
}

// TestUpdateFails is about an object that works and whose change does not get through.
func TestUpdateFails(t *testing.T) {
	t.Parallel()
	cases := map[string]trouble{
		"400": {
			reason: "a refused change must not cost what is there", fault: refused(400),
			want: v1alpha1.RejectedReason, stalled: true, final: true, says: []string{words},
		},
		"503": {reason: "a change outlives maintenance", fault: refused(503), want: v1alpha1.UnavailableReason, says: []string{words}},
	}
	runTroubles(t, cases, essemulator.OpPut, func(w *world, tr trouble) {
		w.connect()
		sub := w.subscribe("reports", func(s *v1alpha1.EventSubscription) { s.Spec.Filter = "old" })
		w.Expect(w.ess.ConnectCompany(appID, company)).To(gomega.Succeed())
		w.ess.InjectFault(tr.fault)
		w.change(sub, func() { sub.Spec.Filter = ".*" })
		w.eventuallyReady(sub, "False", tr.want)
		w.checkTrouble(sub, tr)
		if held := w.ess.Subscriptions(appID); sub.Status.SubscriptionID == "" || len(held) != 1 || held[0].Filter != "old" {
			w.t.Errorf("a failed change took something away: ESS holds %+v, status %+v", held, sub.Status)
		}
		w.ess.ClearFaults()
		if tr.final {
			w.request(sub, "again")
		}
		w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
		w.checkHeld(sub)
		w.checkConnected(sub, v1alpha1.CompaniesConnectedReason)
	})
}
