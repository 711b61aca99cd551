package applicationconnector

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/index"
	"github.com/ess-operator/ess-operator/controllers/internal/wake"
)

// +kubebuilder:rbac:groups=concur.ess-operator.io,resources=applicationconnectors,verbs=list;watch
// +kubebuilder:rbac:groups=concur.ess-operator.io,resources=applicationconnectors/status,verbs=patch

// SetupWithManager registers the controller.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	b := ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.ApplicationConnector{}, builder.WithPredicates(wake.OnIntent())).
		Watches(&v1alpha1.ApplicationConnector{}, handler.EnqueueRequestsFromMapFunc(r.ofDeparted), builder.WithPredicates(wake.OnlyDeletes())).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.ofSecret)).
		WatchesRawSource(r.rivals.Source(wake.Itself)).
		WatchesRawSource(r.Routed.Source(wake.Itself)).
		WatchesRawSource(r.Recovered.Source(wake.Itself)).
		WithOptions(options)
	if r.Reports != nil {
		b = b.WatchesRawSource(r.Reports.Source(wake.Itself))
	}
	return b.Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// ofDeparted are those that may have the user name of a connector that is gone.
func (r *Reconciler) ofDeparted(_ context.Context, gone client.Object) []reconcile.Request {
	return wake.Requests(r.Book.Forget(client.ObjectKeyFromObject(gone)))
}

// ofSecret are the connectors that a Secret belongs to.
func (r *Reconciler) ofSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	names, err := index.ConnectorsOfSecret(ctx, r.Client, client.ObjectKeyFromObject(secret))
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "looking up the connectors of a secret")
		return nil
	}
	return wake.Requests(names)
}
