package operator_test

import (
	"testing"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// stranger makes an object in a namespace of its own that refers to the
// connection of w, which does not admit it, and wants the given id.
func (w *world) stranger(id string) {
	w.t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "stranger-"}}
	w.create(namespace)
	sub := w.subscription("greedy", func(s *v1alpha1.EventSubscription) {
		s.Namespace, s.Spec.SubscriptionID = namespace.Name, id
		s.Spec.ConnectionRef.Namespace = w.namespace
	})
	w.create(sub)
	w.eventuallyReady(sub, "False", v1alpha1.ConnectionNotAllowedReason)
}

func TestStrangerCannotHoldAConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	w.stranger("some.id")
	w.delete(conn)
}

func TestStrangerCannotReserveAnID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect()
	w.stranger(w.namespace + ".reports")
	w.subscribe("reports")
}

func TestMovedObjectFreesItsConnectionAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	other := w.connection(func(c *v1alpha1.ConcurConnection) { c.Name = "other" })
	w.create(other)
	w.eventuallyReady(other, "True", v1alpha1.ConnectedReason)
	sub := w.subscribe("reports")
	w.Expect(suite.client.Delete(t.Context(), conn)).To(gomega.Succeed())
	w.eventuallyReady(conn, "False", v1alpha1.InUseReason)
	w.change(w.read(sub), func() { sub.Spec.ConnectionRef.Name = "other" })
	w.eventuallyGone(conn)
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
	w.Expect(w.calls(essemulator.OpPut)).To(gomega.HaveLen(1))
}
