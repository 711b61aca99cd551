package operator_test

import (
	"testing"
	"time"

	"github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// listTroubles are the answers to LIST, most of them from "SAP Concur, HTTP Status Codes".
var listTroubles = map[string]trouble{
	"400": {
		reason: "nothing in a LIST can be wrong but the spec of the connection", fault: refused(400),
		want: v1alpha1.RejectedReason, stalled: true, final: true, says: []string{words, "HTTP 400", "correct the spec"},
	},
	"401": {
		reason: "a fresh token is refused too", fault: refused(401),
		want: v1alpha1.UnauthorizedReason, stalled: true, says: []string{words, "HTTP 401", "events.topic.read"},
	},
	"403": {
		reason: "a fresh token is refused too; for a read that is a missing scope", fault: refused(403),
		want: v1alpha1.UnauthorizedReason, stalled: true, says: []string{words, "HTTP 403", "events.topic.read"},
	},
	"404": {
		reason: "a list that is empty is no list that is not there", fault: refused(404),
		want: v1alpha1.InvalidResponseReason, says: []string{words, "HTTP 404", "nothing at this path", "check baseURL, apiURL"},
	},
	"409": {
		reason: "a read has no conflicts", fault: refused(409),
		want: v1alpha1.InvalidResponseReason, says: []string{words, "HTTP 409"},
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
	"Hanging": {
		reason: "a call ends though Concur does not", fault: essemulator.Fault{Hang: true},
		want: v1alpha1.TimeoutReason, says: []string{"no answer in time", "127.0.0.1", "network path"},
	},
	"Resetting": {
		reason: "connections break", fault: essemulator.Fault{Reset: true},
		want: v1alpha1.UnreachableReason, says: []string{"no connection", "network path"},
	},
	"Garbage": {
		reason: "an error page is no empty list", fault: essemulator.Fault{Garbage: true},
		want: v1alpha1.InvalidResponseReason, says: []string{"want an array of subscriptions", "check baseURL, apiURL"},
	},
	"OtherShape": {
		reason: "an object is no empty list", fault: essemulator.Fault{Body: `{"subscriptions":[]}`},
		want: v1alpha1.InvalidResponseReason, says: []string{"want an array of subscriptions"},
	},
	"Null": {
		reason: "null is no empty list", fault: essemulator.Fault{Body: `null`},
		want: v1alpha1.InvalidResponseReason, says: []string{"want an array of subscriptions"},
	},
	"5MiB": {
		reason: "no answer of ESS is that large", fault: essemulator.Fault{BodySize: 5 << 20},
		want: v1alpha1.InvalidResponseReason, says: []string{"more than 1 MiB"},
	},
}

func TestListFails(t *testing.T) {
	t.Parallel()
	runTroubles(t, listTroubles, essemulator.OpList, func(w *world, tr trouble) {
		conn := w.connect()
		sub := w.subscribe("reports")
		w.Expect(w.ess.ConnectCompany(appID, company)).To(gomega.Succeed())
		w.request(sub, "company")
		w.ess.ResetRequests()
		w.ess.InjectFault(tr.fault)
		start := time.Now()
		w.annotate(conn, "1")
		w.eventuallyReady(conn, "False", tr.want)
		w.checkTrouble(conn, tr)
		ready := w.eventuallyReady(sub, "False", v1alpha1.ConnectionNotReadyReason)
		w.Expect(ready.Message).To(gomega.ContainSubstring("("+tr.want+")"), "the object does not say what to look for")
		if !tr.final && !tr.slow() {
			w.Eventually(func() int { return len(w.calls(essemulator.OpList)) }).Should(gomega.BeNumerically(">", 2))
		}
		if tr.fault.RetryAfter != "" {
			w.checkRetryAfter(essemulator.OpList, retryAfter)
		}
		w.checkBounded(tr, essemulator.OpList, start)

		w.ess.ClearFaults()
		if tr.final {
			w.annotate(conn, "2")
		}
		w.eventuallyReady(conn, "True", v1alpha1.ConnectedReason)
		w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
		w.checkHeld(sub)
		w.checkConnected(sub, v1alpha1.CompaniesConnectedReason)
		if puts := w.calls(essemulator.OpPut); len(puts) > 0 {
			w.t.Errorf("a LIST that failed was read as an empty one: %v", puts)
		}
	})
}

// TestReadFails is about the look at one subscription before a PUT.
func TestReadFails(t *testing.T) {
	t.Parallel()
	cases := map[string]trouble{
		"429":     {reason: "it passes", fault: essemulator.Fault{Status: 429, Body: spoken, RetryAfter: "3"}, want: v1alpha1.RateLimitedReason, says: []string{words}},
		"500":     {reason: "it passes", fault: refused(500), want: v1alpha1.UnavailableReason, says: []string{words}},
		"Hanging": {reason: "a call ends though Concur does not", fault: essemulator.Fault{Hang: true}, want: v1alpha1.TimeoutReason},
		"Reset":   {reason: "connections break", fault: essemulator.Fault{Reset: true}, want: v1alpha1.UnreachableReason},
		"Garbage": {reason: "an error page is no absence", fault: essemulator.Fault{Garbage: true}, want: v1alpha1.InvalidResponseReason},
		"5MiB":    {reason: "no answer of ESS is that large", fault: essemulator.Fault{BodySize: 5 << 20}, want: v1alpha1.InvalidResponseReason},
	}
	runTroubles(t, cases, essemulator.OpGet, func(w *world, tr trouble) {
		w.connect()
		w.ess.InjectFault(tr.fault)
		start := time.Now()
		sub := w.subscription("reports")
		w.create(sub)
		w.eventuallyReady(sub, "False", tr.want)
		w.checkTrouble(sub, tr)
		w.failedAgain(sub, tr)
		w.checkBounded(tr, essemulator.OpGet, start)
		if puts := w.calls(essemulator.OpPut); len(puts) > 0 {
			w.t.Errorf("written without a look: %v", puts)
		}
		w.ess.ClearFaults()
		w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
		w.checkHeld(sub)
		w.Expect(w.calls(essemulator.OpPut)).To(gomega.HaveLen(1))
	})
}

// TestTopicsFail is about the topics, which are read when a connection begins.
func TestTopicsFail(t *testing.T) {
	t.Parallel()
	cases := map[string]trouble{
		"500":        {reason: "it passes", fault: refused(500), want: v1alpha1.UnavailableReason, says: []string{words}},
		"OtherShape": {reason: "numbers are no topics", fault: essemulator.Fault{Body: `[1]`}, want: v1alpha1.InvalidResponseReason, says: []string{"want an array of topic names"}},
		"5MiB":       {reason: "no answer of ESS is that large", fault: essemulator.Fault{BodySize: 5 << 20}, want: v1alpha1.InvalidResponseReason},
	}
	runTroubles(t, cases, essemulator.OpTopics, func(w *world, tr trouble) {
		w.ess.InjectFault(tr.fault)
		w.create(w.secret(appSecret))
		conn := w.connection()
		w.create(conn)
		w.eventuallyReady(conn, "False", tr.want)
		w.checkTrouble(conn, tr)
		w.ess.ClearFaults()
		w.eventuallyReady(conn, "True", v1alpha1.ConnectedReason)
	})
}

// TestDeleteFails is about objects that wait for ESS to let their subscription go.
func TestDeleteFails(t *testing.T) {
	t.Parallel()
	cases := map[string]trouble{
		"429":     {reason: "it passes", fault: essemulator.Fault{Status: 429, Body: spoken, RetryAfter: "3"}, want: v1alpha1.RateLimitedReason, says: []string{words}},
		"500":     {reason: "it passes", fault: refused(500), want: v1alpha1.UnavailableReason, says: []string{words}},
		"Reset":   {reason: "connections break", fault: essemulator.Fault{Reset: true}, want: v1alpha1.UnreachableReason},
		"AndDone": {reason: "what is gone already is gone", fault: essemulator.Fault{Reset: true, After: true}, want: v1alpha1.UnreachableReason},
	}
	runTroubles(t, cases, essemulator.OpDelete, func(w *world, tr trouble) {
		w.connect()
		sub := w.subscribe("reports")
		w.ess.InjectFault(tr.fault)
		start := time.Now()
		w.Expect(suite.client.Delete(w.t.Context(), sub)).To(gomega.Succeed())
		w.eventuallyReady(sub, "False", tr.want)
		w.checkTrouble(sub, tr)
		w.failedAgain(sub, tr)
		w.checkBounded(tr, essemulator.OpDelete, start)
		if err := suite.client.Get(w.t.Context(), client.ObjectKeyFromObject(sub), sub); err != nil {
			w.t.Errorf("the object was let go in trouble: %v", err)
		}
		w.ess.ClearFaults()
		w.eventuallyGone(sub)
		w.Expect(w.ess.Subscriptions(appID)).To(gomega.BeEmpty())
	})
}
