package operator_test

import (
	"strings"
	"testing"

	"github.com/onsi/gomega"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestLongChangeIsTold makes a change that takes more room to tell than an event has.
func TestLongChangeIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect()
	sub := w.subscribe("reports")
	w.change(sub, func() { sub.Spec.Filter = strings.Repeat("a|", 500) + "b" })
	w.Eventually(func() []string {
		var events eventsv1.EventList
		w.Expect(suite.client.List(t.Context(), &events, client.InNamespace(w.namespace))).To(gomega.Succeed())
		var reasons []string
		for i := range events.Items {
			reasons = append(reasons, events.Items[i].Reason)
		}
		return reasons
	}).Should(gomega.ContainElement("Updated"))
}
