package operator_test

import (
	"testing"

	"github.com/onsi/gomega"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// TestUnknownIDs: what ESS answers to a read of an id that is absent, or
// another application's, is not documented. Whatever it is, the id is ours to try.
func TestUnknownIDs(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"NotFound": 404, "Forbidden": 403, "EmptyList": 200} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(a *essemulator.Assumptions) { a.Statuses.UnknownID, a.Statuses.ForeignID = status, status })
			w.connect()
			w.subscribe("reports")

			taken := w.foreign(".*")
			taken.ID, taken.ApplicationID = w.namespace+".taken", "00000000-0000-4000-8000-000000000001"
			w.ess.PutSubscription(taken)
			sub := w.subscription("taken")
			w.create(sub)
			w.eventuallyReady(sub, "False", v1alpha1.IDTakenReason)
			w.Expect(sub.Status.SubscriptionID).To(gomega.BeEmpty())
		})
	}
}
