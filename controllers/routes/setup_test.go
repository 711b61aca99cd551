package routes_test

import (
	"context"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/ess-operator/ess-operator/controllers/routes"
)

// patience is for what must come. It says nothing of how fast that is, and is far
// beyond what the slowest machine takes.
const patience = 3 * time.Minute

// TestRoutesTakenAwayComeBack empties the Secret, as "helm upgrade --force" of Helm 3 does: a pod of the receiver that starts
// then waits for the routes, and nothing else may change for hours.
func TestRoutesTakenAwayComeBack(t *testing.T) {
	t.Parallel()
	g := gomega.NewWithT(t)
	d := newDesk(t, suite.plane.Config)
	d.create(func(*corev1.Secret) {})
	d.manage()
	held := func() string { return string(d.read().Data[routes.Key]) }
	g.Eventually(held, patience).Should(gomega.ContainSubstring("name: reports\n"))
	before := d.secret.DeepCopy()
	d.secret.Data = nil
	g.Expect(d.client.Patch(t.Context(), d.secret, client.MergeFrom(before))).To(gomega.Succeed())
	g.Eventually(held, patience).Should(gomega.Equal(string(before.Data[routes.Key])))
}

// manage has a manager run the Reconciler until the end of the test.
func (d *desk) manage() {
	d.t.Helper()
	mgr, err := ctrl.NewManager(suite.plane.Config, ctrl.Options{
		Scheme: suite.scheme, Logger: logr.Discard(), Metrics: metricsserver.Options{BindAddress: "0"},
		Cache: cache.Options{DefaultNamespaces: map[string]cache.Config{d.secret.Namespace: {}}},
	})
	if err != nil {
		d.t.Fatal(err)
	}
	if err := d.SetupWithManager(mgr, controller.Options{SkipNameValidation: new(true)}); err != nil {
		d.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(d.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	d.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			d.t.Errorf("the manager: %v", err)
		}
	})
}
