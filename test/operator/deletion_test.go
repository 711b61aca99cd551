package operator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

func clientKey(o client.Object) client.ObjectKey { return client.ObjectKeyFromObject(o) }

// slowToDelete has ESS list what was deleted until the test removes it.
func slowToDelete(a *essemulator.Assumptions) { a.DeleteDelay = time.Hour }

// deleteAtESS deletes an object in a world that is slowToDelete.
func (w *world) deleteAtESS(sub *v1alpha1.EventSubscription) {
	w.t.Helper()
	w.Expect(suite.client.Delete(w.t.Context(), sub)).To(gomega.Succeed())
	w.eventuallyReady(sub, "False", v1alpha1.DeletingReason)
	w.ess.RemoveSubscription(sub.Status.SubscriptionID)
	w.eventuallyGone(sub)
}

func TestDeletionWaitsUntilESSNoLongerLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slowToDelete)
	w.connect()
	sub := w.subscribe("reports")
	w.deleteAtESS(sub)
	w.Expect(w.ess.Subscriptions(appID)).To(gomega.BeEmpty())
	w.Expect(w.calls(essemulator.OpDelete)).To(gomega.HaveLen(1))
}

func TestDeletionNeedsNoSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	sub := w.subscribe("reports")
	w.Expect(suite.client.Delete(t.Context(), w.secret(""))).To(gomega.Succeed())
	w.eventuallyReady(conn, "False", v1alpha1.SecretNotFoundReason)
	w.delete(sub)
	w.Expect(w.ess.Subscriptions(appID)).To(gomega.BeEmpty())
}

func TestConnectionIsHeldWhileNeeded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	sub := w.subscribe("reports")
	w.Expect(suite.client.Delete(t.Context(), conn)).To(gomega.Succeed())
	ready := w.eventuallyReady(conn, "False", v1alpha1.InUseReason)
	if !strings.Contains(ready.Message, w.namespace+"/reports") {
		t.Errorf("who needs it is not named: %s", ready.Message)
	}
	w.delete(sub)
	w.eventuallyGone(conn)
	w.Expect(w.ess.Subscriptions(appID)).To(gomega.BeEmpty())
}

func TestNamespaceGoesWithEverythingInIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect()
	w.subscribe("one")
	w.subscribe("two")
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
	w.delete(namespace)
	w.Expect(w.ess.Subscriptions(appID)).To(gomega.BeEmpty())
}

func TestConnectionAcknowledgesRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	acknowledged := func() string {
		w.Expect(suite.client.Get(t.Context(), clientKey(conn), conn)).To(gomega.Succeed())
		return conn.Status.LastHandledReconcileAt
	}
	request := func(value string) {
		w.ess.ResetRequests()
		w.change(conn, func() {
			metav1.SetMetaDataAnnotation(&conn.ObjectMeta, v1alpha1.ReconcileRequestedAtAnnotation, value)
		})
		w.Eventually(acknowledged).Should(gomega.Equal(value))
	}
	w.Expect(acknowledged()).To(gomega.BeEmpty())
	request("now")
	w.Expect(w.calls(essemulator.OpList)).To(gomega.HaveLen(1), "what is acknowledged was done")

	w.ess.InjectFault(essemulator.Fault{Operation: essemulator.OpList, ApplicationID: appID, Times: 1, Status: 503})
	request("while Concur fails")
	w.eventuallyReady(conn, "True", v1alpha1.ConnectedReason)

	w.change(conn, func() { conn.Spec.Suspend = true })
	w.eventuallyReady(conn, "False", v1alpha1.SuspendedReason)
	request("while it is suspended")
	w.Expect(w.calls(essemulator.OpList)).To(gomega.BeEmpty())
}

func TestSteadyStateCostsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	sub := w.subscribe("reports")
	w.Eventually(func() string {
		w.Expect(suite.client.Get(t.Context(), clientKey(conn), conn)).To(gomega.Succeed())
		return conn.Status.Subscriptions.Usage
	}).Should(gomega.Equal("1/5"))
	w.Expect(conn.Status.Subscriptions.Managed).To(gomega.Equal(int32(1)))
	version := w.read(sub).ResourceVersion
	w.ess.ResetRequests()
	// A label is no change of the spec: the object is looked at, and nothing follows.
	w.change(sub, func() { metav1.SetMetaDataLabel(&sub.ObjectMeta, "touched", "yes") })
	touched := sub.ResourceVersion
	w.change(conn, func() {
		metav1.SetMetaDataAnnotation(&conn.ObjectMeta, v1alpha1.ReconcileRequestedAtAnnotation, "now")
	})
	w.Eventually(func() string {
		w.Expect(suite.client.Get(t.Context(), clientKey(conn), conn)).To(gomega.Succeed())
		return conn.Status.LastHandledReconcileAt
	}).Should(gomega.Equal("now"))
	w.Expect(w.calls(essemulator.OpList)).To(gomega.HaveLen(1))
	w.Consistently(func() string { return w.read(sub).ResourceVersion }, "1s").Should(gomega.Equal(touched))
	w.Expect(version).NotTo(gomega.Equal(touched))
	w.Expect(w.calls(essemulator.OpPut, essemulator.OpGet, essemulator.OpTopics)).To(gomega.HaveLen(1), "a request reads the topics again, nothing else")
	w.Expect(w.read(sub).Labels).To(gomega.HaveKey("touched"))
}
