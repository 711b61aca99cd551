package operator_test

import (
	"testing"
	"time"

	"github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// TestDeletionSparesWhatAnotherObjectManages lets an older object come to the
// application of a younger one that has its id already, and adopt.
func TestDeletionSparesWhatAnotherObjectManages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect()
	same := func(s *v1alpha1.EventSubscription) { s.Spec.SubscriptionID = w.namespace + ".same" }
	older := w.subscription("a-older", same, func(s *v1alpha1.EventSubscription) { s.Spec.ConnectionRef.Name = "later" })
	w.create(older)
	w.eventuallyReady(older, "False", v1alpha1.ConnectionNotFoundReason)
	younger := w.subscribe("b-younger", same)
	w.create(w.connection(func(c *v1alpha1.ConcurConnection) { c.Name = "later" }))
	w.eventuallyReady(older, "True", v1alpha1.SubscribedReason)
	w.eventuallyReady(younger, "False", v1alpha1.IDConflictReason)

	w.delete(younger)
	w.Expect(w.calls(essemulator.OpDelete)).To(gomega.BeEmpty(), "the older object lives by this subscription")
	w.delete(older)
	w.Expect(w.ess.Subscriptions(appID)).To(gomega.BeEmpty(), "the last one takes it along")
}

// TestDeletionSurvivesATypo deletes an object while the Secret names no application that exists.
func TestDeletionSurvivesATypo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	sub := w.subscribe("reports")
	secret := w.secret(appSecret)
	w.Expect(suite.client.Get(t.Context(), clientKey(secret), secret)).To(gomega.Succeed())
	w.change(secret, func() { secret.Data["client_id"] = []byte("00000000-0000-4000-8000-00000000000f") })
	w.eventuallyReady(conn, "False", v1alpha1.CredentialsRejectedReason)
	w.Expect(suite.client.Delete(t.Context(), sub)).To(gomega.Succeed())
	w.eventuallyReady(sub, "False", v1alpha1.ConnectionNotReadyReason)
	w.change(secret, func() { secret.Data["client_id"] = []byte(appID) })
	w.eventuallyGone(sub)
	w.Expect(w.ess.Subscriptions(appID)).To(gomega.BeEmpty())
}

// TestReleasedObjectIsLeftAlone takes the finalizer off by hand, as people do
// to let an object go; another finalizer keeps it in sight.
func TestReleasedObjectIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	sub := w.subscribe("reports", func(s *v1alpha1.EventSubscription) { s.Finalizers = []string{"example.com/hold"} })
	w.change(conn, func() { conn.Spec.Suspend = true })
	w.eventuallyReady(conn, "False", v1alpha1.SuspendedReason)
	w.Expect(suite.client.Delete(t.Context(), sub)).To(gomega.Succeed())
	w.eventuallyReady(sub, "False", v1alpha1.ConnectionNotReadyReason)
	w.change(sub, func() { sub.Finalizers = []string{"example.com/hold"} })
	// Objects of a kind are heard of in their order: who knows this one knows the other, too.
	after := w.subscription("made-after-it")
	w.create(after)
	w.eventuallyReady(after, "False", v1alpha1.ConnectionNotReadyReason)
	w.change(conn, func() { conn.Spec.Suspend = false })
	w.eventuallyReady(conn, "True", v1alpha1.ConnectedReason)
	w.Consistently(func() []string { return w.calls(essemulator.OpDelete) }, "1s").Should(gomega.BeEmpty())
	w.change(w.read(sub), func() { sub.Finalizers = nil })
	w.eventuallyGone(sub)
}

// TestSlowDeletionHoldsUpNoResync lets ESS remove a subscription so slowly that
// each look at it comes before the next resync is due.
func TestSlowDeletionHoldsUpNoResync(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slowToDelete)
	w.connect(func(c *v1alpha1.ConcurConnection) {
		c.Spec.ResyncInterval = &metav1.Duration{Duration: 10 * time.Second}
	})
	w.subscribe("reports")
	slow := w.subscribe("slow")
	w.Expect(suite.client.Delete(t.Context(), slow)).To(gomega.Succeed())
	w.eventuallyReady(slow, "False", v1alpha1.DeletingReason)
	w.foreign("changed behind our back")
	w.Eventually(func() string {
		for _, s := range w.ess.Subscriptions(appID) {
			if s.ID == w.namespace+".reports" {
				return s.Filter
			}
		}
		return "gone"
	}).Should(gomega.Equal(".*"))
	w.change(w.read(slow), func() { slow.Spec.DeletionPolicy = v1alpha1.DeletionRetain })
	w.eventuallyGone(slow)
}
