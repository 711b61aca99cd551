package operator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// foreign makes a subscription of the id of "reports", under our application and behind the back of its object.
func (w *world) foreign(filter string) essemulator.Subscription {
	s := essemulator.Subscription{
		ID: w.namespace + ".reports", ApplicationID: appID, Topic: topic, Filter: filter, Endpoint: endpoint,
		CompanyIDs: []string{company},
	}
	w.ess.PutSubscription(s)
	return s
}

func TestAdoption(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason  string
		policy  v1alpha1.AdoptionPolicy
		filter  string // of what exists; the object wants .*
		status  metav1.ConditionStatus
		verdict string
		puts    int
	}{
		"DefaultIdentical": {
			reason: "what is exactly as wanted can be managed without changing anything",
			filter: ".*", status: "True", verdict: v1alpha1.SubscribedReason,
		},
		"DefaultDifferent": {
			reason: "overwriting what somebody else made must be asked for",
			filter: "mine", status: "False", verdict: v1alpha1.AlreadyExistsReason,
		},
		"AlwaysDifferent": {
			reason: "Always asks for it",
			policy: v1alpha1.AdoptAlways, filter: "mine", status: "True", verdict: v1alpha1.SubscribedReason, puts: 1,
		},
		"NeverIdentical": {
			reason: "Never refuses even what is identical",
			policy: v1alpha1.AdoptNever, filter: ".*", status: "False", verdict: v1alpha1.AlreadyExistsReason,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.foreign(tc.filter)
			w.connect()
			sub := w.subscription("reports", func(s *v1alpha1.EventSubscription) { s.Spec.AdoptionPolicy = tc.policy })
			w.create(sub)
			ready := w.eventuallyReady(sub, tc.status, tc.verdict)
			if got := len(w.calls(essemulator.OpPut)); got != tc.puts {
				t.Errorf("%d PUTs, want %d: %s", got, tc.puts, tc.reason)
			}
			if owned := sub.Status.SubscriptionID != ""; owned != (tc.status == "True") {
				t.Errorf("owned is %v: %s", owned, tc.reason)
			}
			if tc.status == "False" && (condition(sub, v1alpha1.StalledCondition) == nil || !strings.Contains(ready.Message, sub.Namespace+".reports")) {
				t.Errorf("not stalled, or the message does not name the id: %s", explain(sub))
			}
			w.delete(sub)
			w.Expect(w.ess.Subscriptions(appID)).To(gomega.HaveLen(map[bool]int{true: 0, false: 1}[tc.status == "True"]),
				"what was not adopted must survive the object")
		})
	}
}

func TestIDTakenByAnotherApplication(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	taken := w.foreign(".*")
	taken.ApplicationID = "00000000-0000-4000-8000-000000000001"
	w.ess.PutSubscription(taken)
	w.connect()
	sub := w.subscription("reports")
	w.create(sub)
	ready := w.eventuallyReady(sub, "False", v1alpha1.IDTakenReason)
	if condition(sub, v1alpha1.StalledCondition) == nil || !strings.Contains(ready.Message, "another subscriptionID") {
		t.Errorf("not stalled, or no advice: %s", explain(sub))
	}
	if sub.Status.SubscriptionID != "" {
		t.Error("status claims a subscription of another application")
	}
	w.delete(sub)
	w.Expect(w.calls(essemulator.OpDelete)).To(gomega.BeEmpty(), "another application's subscription must not be deleted")
}

func TestOlderObjectWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect()
	same := func(s *v1alpha1.EventSubscription) { s.Spec.SubscriptionID = w.namespace + ".same" }
	first := w.subscribe("a-first", same)
	second := w.subscription("b-second", same, func(s *v1alpha1.EventSubscription) { s.Spec.Filter = "other" })
	w.create(second)
	ready := w.eventuallyReady(second, "False", v1alpha1.IDConflictReason)
	if condition(second, v1alpha1.StalledCondition) == nil || !strings.Contains(ready.Message, "a-first") {
		t.Errorf("not stalled, or the older is not named: %s", explain(second))
	}
	w.Expect(w.ess.Subscriptions(appID)[0].Filter).To(gomega.Equal(".*"))
	w.delete(first)
	w.eventuallyReady(second, "True", v1alpha1.SubscribedReason)
	w.Expect(w.ess.Subscriptions(appID)[0].Filter).To(gomega.Equal("other"))
}

// TestOlderObjectIsHeardBeforeItsConnectionReports gives an id that a younger object has to an older one, through a
// connection whose status does not tell yet that it acts as the same application.
func TestOlderObjectIsHeardBeforeItsConnectionReports(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	same := func(s *v1alpha1.EventSubscription) { s.Spec.SubscriptionID = w.namespace + ".same" }
	older := w.subscription("a-older", same, func(s *v1alpha1.EventSubscription) { s.Spec.ConnectionRef.Name = "later" })
	w.create(older)
	w.eventuallyReady(older, "False", v1alpha1.ConnectionNotFoundReason)
	younger := w.subscribe("b-younger", same)
	w.refuseStatusOf(conn)
	w.create(w.connection(func(c *v1alpha1.ConcurConnection) { c.Name = "later" }))
	w.eventuallyReady(older, "True", v1alpha1.SubscribedReason)
	w.eventuallyReady(younger, "False", v1alpha1.IDConflictReason)
}

func TestDriftIsCorrected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect()
	sub := w.subscribe("reports")
	w.foreign("changed behind our back")
	w.request(sub, "now")
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
	w.Expect(w.ess.Subscriptions(appID)[0].Filter).To(gomega.Equal(".*"))
	w.Expect(w.calls(essemulator.OpPut)).To(gomega.HaveLen(2))
}

func TestDriftIsCorrectedByTheResync(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect(func(c *v1alpha1.ConcurConnection) {
		c.Spec.ResyncInterval = &metav1.Duration{Duration: 10 * time.Second}
	})
	w.subscribe("reports")
	w.foreign("changed behind our back")
	w.Eventually(func() string { return w.ess.Subscriptions(appID)[0].Filter }).Should(gomega.Equal(".*"))
}

func TestSuspendedDriftIsShownAndNotWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect()
	sub := w.subscribe("reports")
	w.change(sub, func() { sub.Spec.Suspend = true })
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
	w.foreign("mine")
	w.request(sub, "now")
	w.eventuallyReady(sub, "False", v1alpha1.SuspendedReason)
	w.Expect(sub.Status.Drift).To(gomega.Equal([]v1alpha1.Drift{{Field: "filter", Desired: ".*", Observed: "mine"}}))
	w.Expect(condition(sub, v1alpha1.DriftedCondition)).NotTo(gomega.BeNil())
	w.Expect(w.calls(essemulator.OpPut)).To(gomega.HaveLen(1))

	w.change(sub, func() { sub.Spec.Suspend = false })
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
	w.Expect(sub.Status.Drift).To(gomega.BeEmpty())
	w.Expect(w.ess.Subscriptions(appID)[0].Filter).To(gomega.Equal(".*"))
}

func TestSuspendedFromTheStartMakesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect()
	sub := w.subscription("reports", func(s *v1alpha1.EventSubscription) { s.Spec.Suspend = true })
	w.create(sub)
	w.eventuallyReady(sub, "False", v1alpha1.SuspendedReason)
	w.Expect(sub.Status.Drift).To(gomega.Equal([]v1alpha1.Drift{{Field: "subscription", Desired: w.namespace + ".reports"}}))
	w.Expect(w.ess.Subscriptions(appID)).To(gomega.BeEmpty())
	w.delete(sub)
	w.Expect(w.calls(writesAndReads...)).To(gomega.BeEmpty())
}

func TestLostSubscriptionIsMadeAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect()
	sub := w.subscribe("reports")
	w.Expect(w.ess.ConnectCompany(appID, company)).To(gomega.Succeed())
	w.request(sub, "1")
	w.ess.RemoveSubscription(sub.Status.SubscriptionID)
	w.request(sub, "2")
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
	w.Expect(w.ess.Subscriptions(appID)).To(gomega.HaveLen(1))
	c := condition(sub, v1alpha1.CompaniesConnectedCondition)
	if c.Status != "False" || c.Reason != v1alpha1.LostReason || !strings.Contains(c.Message, "connects it again") {
		t.Errorf("CompaniesConnected is %+v", c)
	}
	w.request(sub, "3")
	if again := condition(sub, v1alpha1.CompaniesConnectedCondition); again.Reason != v1alpha1.LostReason {
		t.Errorf("the loss was forgotten: %+v", again)
	}
}

func TestOlderObjectWinsAcrossNamespaces(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		twin   bool // through a connection of its own, as the same application
	}{
		"SharedConnection": {reason: "one connection, used from two namespaces"},
		"TwoConnections":   {reason: "ids belong to the application, through however many connections it is used", twin: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.connect(func(c *v1alpha1.ConcurConnection) {
				c.Spec.AllowedNamespaces = &v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesFromAll}
			})
			guest := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "t-guest-"}}
			w.create(guest)
			owner := w.namespace
			same := func(s *v1alpha1.EventSubscription) { s.Spec.SubscriptionID = owner + ".same" }
			first := w.subscribe("reports", same)

			away := *w
			away.namespace = guest.Name
			if tc.twin {
				away.connect()
			}
			second := away.subscription("a-comes-first-by-name", same, func(s *v1alpha1.EventSubscription) {
				if s.Spec.Filter = "other"; !tc.twin {
					s.Spec.ConnectionRef.Namespace = owner
				}
			})
			w.waitForNextSecond(first)
			w.create(second)
			ready := w.eventuallyReady(second, "False", v1alpha1.IDConflictReason)
			if !strings.Contains(ready.Message, owner+"/reports") {
				t.Errorf("the older is not named: %s", ready.Message)
			}
			w.Expect(w.ess.Subscriptions(appID)[0].Filter).To(gomega.Equal(".*"), tc.reason)
			w.delete(first)
			w.eventuallyReady(second, "True", v1alpha1.SubscribedReason)
			w.Expect(w.ess.Subscriptions(appID)[0].Filter).To(gomega.Equal("other"))
		})
	}
}

// waitForNextSecond waits until a new object would be younger than o: creation times are whole seconds.
func (w *world) waitForNextSecond(o metav1.Object) {
	w.t.Helper()
	w.Eventually(func() bool { return time.Since(o.GetCreationTimestamp().Time) > time.Second }).Should(gomega.BeTrue())
}

func TestUnmanagedSubscriptionsAreListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.foreign(".*")
	other.ID = w.namespace + ".by-hand"
	w.ess.PutSubscription(other)
	w.ess.RemoveSubscription(w.namespace + ".reports")
	conn := w.connect()
	w.subscribe("reports")
	w.Eventually(func() *v1alpha1.SubscriptionUsage {
		w.Expect(suite.client.Get(t.Context(), clientKey(conn), conn)).To(gomega.Succeed())
		return conn.Status.Subscriptions
	}).Should(gomega.Equal(&v1alpha1.SubscriptionUsage{
		Used: 2, Limit: 5, Managed: 1, Usage: "2/5", Unmanaged: []string{w.namespace + ".by-hand"},
	}))
}
