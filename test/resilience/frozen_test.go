package resilience_test

import (
	"testing"
	"time"

	"github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// newFrozenWorld is newWorld, with an ESS whose clock stands still: what is deleted
// there is listed until the test says that it is forgotten. With a clock that goes,
// it would depend on the machine whether the manager sees it listed, and with that
// how many writes a deletion takes.
func newFrozenWorld(t *testing.T, p *plane) *world {
	t.Helper()
	clock := essemulator.NewClock(0, true)
	w := newWorld(t, p, essemulator.WithClock(clock))
	w.clock = clock
	return w
}

// deleting reports whether an object says that it waits for ESS to forget its
// subscription, or is gone.
func (w *world) deleting(sub *v1alpha1.EventSubscription) bool {
	w.t.Helper()
	if err := w.read(sub); err != nil {
		w.Expect(client.IgnoreNotFound(err)).To(gomega.Succeed())
		return true
	}
	ready := condition(sub, v1alpha1.ReadyCondition)
	return ready != nil && ready.Reason == v1alpha1.DeletingReason
}

// forget has ESS forget what was deleted.
func (w *world) forget() { w.clock.Step(time.Minute) }

// forgetFor has ESS forget what was deleted once the manager has said of each
// object that it waits for that, or is dead.
func (w *world) forgetFor(manager *process, subs ...*v1alpha1.EventSubscription) {
	w.t.Helper()
	for _, sub := range subs {
		w.Eventually(func() bool { return manager.gone() || w.deleting(sub) }).Should(gomega.BeTrue(), func() string { return explain(sub) })
	}
	w.forget()
}

// eventuallyForgotten waits until an object that is being deleted says what it
// waits for, brings that about, and waits until it is gone.
func (w *world) eventuallyForgotten(sub *v1alpha1.EventSubscription) {
	w.t.Helper()
	w.Eventually(func() bool { return w.deleting(sub) }).Should(gomega.BeTrue(), func() string { return explain(sub) })
	w.forget()
	w.eventuallyGone(sub)
}
