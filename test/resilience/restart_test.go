package resilience_test

import (
	"context"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"github.com/ess-operator/ess-operator/internal/essemulator"
	"github.com/ess-operator/ess-operator/test/controlplane"
)

// ownPlane is a control plane for one test, which may break it.
func ownPlane(t *testing.T) *plane {
	t.Helper()
	p, err := startPlane(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func TestControlPlaneRestarts(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]func(*controlplane.ControlPlane, context.Context) error{
		"APIServer": (*controlplane.ControlPlane).RestartAPIServer,
		"Etcd":      (*controlplane.ControlPlane).RestartEtcd,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, ownPlane(t))
			manager := w.start()
			w.connect()
			before, gone := w.subscribe("before"), w.subscribe("gone")
			w.ess.ResetRequests()

			// In the middle: the PUT is made, and status cannot be written.
			w.ess.InjectFault(essemulator.Fault{Operation: essemulator.OpPut, Times: 1, Delay: 300 * time.Millisecond})
			during := w.subscription("during")
			w.Eventually(func() int { return w.count(essemulator.OpPut) }).Should(gomega.Equal(1))
			w.Expect(restart(w.plane.ControlPlane, t.Context())).To(gomega.Succeed())

			w.eventuallySubscribed(during)
			w.change(before, func() { before.Spec.Filter = "reportCreated" })
			w.delete(gone)
			w.eventuallySubscribed(before)
			w.eventuallyGone(gone)
			w.settleUsage(2)
			w.Expect(w.held()).To(gomega.Equal([]string{"before reportCreated", "during .*"}))
			w.Expect(w.calls(essemulator.OpPut, essemulator.OpDelete)).To(gomega.ConsistOf(
				"PUT during 200", "PUT before 200", "DELETE gone 200"), "nothing is written twice")
			select {
			case <-manager.exited:
				t.Errorf("the manager did not live through it (%s):\n%s", manager.cmd.ProcessState, manager.logged())
			default:
			}
		})
	}
}
