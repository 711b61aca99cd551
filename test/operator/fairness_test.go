package operator_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// resync asks the connection for a LIST now.
func (w *world) resync(conn *v1alpha1.ConcurConnection, value string) {
	w.t.Helper()
	before := len(w.calls(essemulator.OpList))
	w.change(conn, func() {
		metav1.SetMetaDataAnnotation(&conn.ObjectMeta, v1alpha1.ReconcileRequestedAtAnnotation, value)
	})
	w.Eventually(func() string {
		w.Expect(suite.client.Get(w.t.Context(), client.ObjectKeyFromObject(conn), conn)).To(gomega.Succeed())
		return conn.Status.LastHandledReconcileAt
	}).Should(gomega.Equal(value))
	w.Expect(len(w.calls(essemulator.OpList))).To(gomega.BeNumerically(">", before))
}

func TestContestedAfterThreeCorrections(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	sub := w.subscribe("reports")
	for i := range 3 {
		w.foreign("theirs")
		w.resync(conn, fmt.Sprint(i))
		// The creation and each correction are a read, a PUT, and a read back.
		w.Eventually(func() int { return len(w.calls(writesAndReads...)) }).Should(gomega.Equal(3 * (i + 2)))
	}
	w.foreign("theirs")
	w.resync(conn, "again")
	ready := w.eventuallyReady(sub, "False", v1alpha1.ContestedReason)
	if condition(sub, v1alpha1.StalledCondition) == nil || !strings.Contains(ready.Message, "filter") {
		t.Errorf("not stalled, or the field is not named: %s", explain(sub))
	}
	w.resync(conn, "and again")
	w.Expect(w.calls(essemulator.OpPut)).To(gomega.HaveLen(4), "the creation and three corrections")

	w.request(sub, "I found them") // a person decides anew
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
	w.Expect(w.ess.Subscriptions(appID)[0].Filter).To(gomega.Equal(".*"))
}

func TestOldestGetsTheFreedPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect(func(c *v1alpha1.ConcurConnection) { c.Spec.MaxSubscriptions = 1 })
	first := w.subscribe("a")
	// Within one second the name decides, as creation times are whole seconds.
	second, third := w.subscription("b"), w.subscription("c")
	w.create(third)
	w.create(second)
	w.eventuallyReady(third, "False", v1alpha1.QuotaExceededReason)
	w.eventuallyReady(second, "False", v1alpha1.QuotaExceededReason)
	if third.CreationTimestamp.Before(&second.CreationTimestamp) {
		second, third = third, second
	}
	w.delete(first)
	w.eventuallyReady(second, "True", v1alpha1.SubscribedReason)
	w.resync(conn, "1")
	w.eventuallyReady(third, "False", v1alpha1.QuotaExceededReason)
	w.Expect(w.ess.Subscriptions(appID)).To(gomega.HaveLen(1))
}

func TestLimitIsLearnedFromESS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(a *essemulator.Assumptions) { a.SubscriptionLimit = 1 })
	conn := w.connect()
	w.subscribe("first")
	second, third := w.subscription("second"), w.subscription("third")
	w.create(second)
	w.eventuallyReady(second, "False", v1alpha1.QuotaExceededReason)
	w.create(third)
	w.eventuallyReady(third, "False", v1alpha1.QuotaExceededReason)
	w.resync(conn, "1")
	w.Expect(w.calls(essemulator.OpPut)).To(gomega.HaveLen(2), "one refusal teaches the limit to all")
	w.Eventually(func() string {
		w.Expect(suite.client.Get(t.Context(), clientKey(conn), conn)).To(gomega.Succeed())
		return conn.Status.Subscriptions.Usage
	}).Should(gomega.Equal("1/1"))
}
