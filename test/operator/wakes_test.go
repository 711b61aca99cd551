package operator_test

import (
	"strings"
	"testing"

	"github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// onePlace is for a connection whose application may have one subscription.
func onePlace(c *v1alpha1.ConcurConnection) { c.Spec.MaxSubscriptions = 1 }

// TestRaisedLimitIsSeenLate raises the limit of a connection, and lets the one who waits for a place look at it
// before the connection's own controller has.
func TestRaisedLimitIsSeenLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect(onePlace)
	w.subscribe("first")
	second := w.subscription("second")
	w.create(second)
	w.eventuallyReady(second, "False", v1alpha1.QuotaExceededReason)

	hold := w.refuseFinalizerOf(conn)
	w.change(conn, func() { conn.Finalizers, conn.Spec.MaxSubscriptions = nil, 2 })
	w.request(second, "look now")
	w.eventuallyReady(second, "False", v1alpha1.QuotaExceededReason)
	w.Expect(suite.client.Delete(t.Context(), hold)).To(gomega.Succeed())
	w.eventuallyReady(second, "True", v1alpha1.SubscribedReason)
}

// refuseFinalizerOf makes the API server refuse what the controller of connections does first, in the namespace of w,
// until the binding returned is deleted.
func (w *world) refuseFinalizerOf(conn *v1alpha1.ConcurConnection) *admissionv1.ValidatingAdmissionPolicyBinding {
	w.t.Helper()
	binding := w.refuse("concurconnections", "!has(object.metadata.finalizers) || object.metadata.finalizers.size() == 0")
	w.Eventually(func() error {
		after := conn.DeepCopy()
		after.Finalizers = append(after.Finalizers, "example.com/probe")
		return suite.client.Patch(w.t.Context(), after, client.MergeFrom(conn), client.DryRunAll)
	}).Should(gomega.MatchError(gomega.ContainSubstring("refused by a test")))
	return binding
}

// TestPlaceIsFreedThroughAnotherConnection lets one wait for the place of an object that goes through another
// connection of the same application.
func TestPlaceIsFreedThroughAnotherConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect(onePlace)
	first := w.subscribe("first")
	other := w.connection(onePlace, func(c *v1alpha1.ConcurConnection) { c.Name = "other" })
	w.create(other)
	w.eventuallyReady(other, "True", v1alpha1.ConnectedReason)
	second := w.subscription("second", func(s *v1alpha1.EventSubscription) { s.Spec.ConnectionRef.Name = "other" })
	w.create(second)
	w.eventuallyReady(second, "False", v1alpha1.QuotaExceededReason)
	w.delete(first)
	w.eventuallyReady(second, "True", v1alpha1.SubscribedReason)
}

// TestPlaceIsFreedSoonAfterARefusal lets ESS refuse a subscription, because its connection has not listed since another
// one took the last place, and then frees that place, as anybody would do on reading of it.
func TestPlaceIsFreedSoonAfterARefusal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(a *essemulator.Assumptions) { a.SubscriptionLimit = 1 })
	w.connect()
	other := w.connection(func(c *v1alpha1.ConcurConnection) { c.Name = "other" })
	w.create(other)
	w.eventuallyReady(other, "True", v1alpha1.ConnectedReason)
	first := w.subscribe("first")
	second := w.subscription("second", func(s *v1alpha1.EventSubscription) { s.Spec.ConnectionRef.Name = "other" })
	w.create(second)
	w.eventuallyReady(second, "False", v1alpha1.QuotaExceededReason)
	w.delete(first)
	w.eventuallyReady(second, "True", v1alpha1.SubscribedReason)
	w.Expect(w.calls(essemulator.OpPut)).To(gomega.HaveLen(3), "one is refused")
}

// TestWhoGivesUpKeepsNoPlaceFree suspends the object that comes first while another waits behind it.
func TestWhoGivesUpKeepsNoPlaceFree(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect(onePlace)
	older := w.subscription("a-older", toReceiver, func(s *v1alpha1.EventSubscription) {
		s.Spec.Sink = v1alpha1.Sink{Ref: v1alpha1.SinkRef{APIVersion: "nowhere.example.com/v1", Kind: "Bell", Name: "door"}}
	})
	w.create(older)
	w.eventuallyReady(older, "False", v1alpha1.SinkNotReadyReason)
	younger := w.subscription("b-younger")
	w.create(younger)
	if ready := w.eventuallyReady(younger, "False", v1alpha1.QuotaExceededReason); !strings.Contains(ready.Message, "older objects come first") {
		t.Fatalf("it does not wait for the other: %s", ready.Message)
	}
	w.change(older, func() { older.Spec.Sink, older.Spec.Suspend = v1alpha1.Sink{}, true })
	w.eventuallyReady(older, "False", v1alpha1.SuspendedReason)
	w.eventuallyReady(younger, "True", v1alpha1.SubscribedReason)
	w.Expect(w.calls(essemulator.OpPut)).To(gomega.HaveLen(1))
}

// TestFinalizerThatSomebodyTookOffComesBack replaces objects without their finalizers, as kubectl replace does.
// Deleted then, one would leave its subscription at ESS.
func TestFinalizerThatSomebodyTookOffComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	sub := w.subscribe("reports")
	for _, o := range []client.Object{conn, sub} {
		w.change(o, func() { o.SetFinalizers(nil) })
		w.Eventually(func() []string {
			w.Expect(suite.client.Get(t.Context(), client.ObjectKeyFromObject(o), o)).To(gomega.Succeed())
			return o.GetFinalizers()
		}).Should(gomega.ContainElement(v1alpha1.Finalizer), "%T", o)
	}
}
