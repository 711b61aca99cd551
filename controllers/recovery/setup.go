package recovery

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

// SetupWithManager registers the controller.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	return ctrl.NewControllerManagedBy(mgr).Named("recovery").
		For(&v1alpha1.ApplicationConnector{}, builder.WithPredicates(wake.OnIntent())).
		Watches(&v1alpha1.ApplicationConnector{}, handler.EnqueueRequestsFromMapFunc(r.ofDeparted), builder.WithPredicates(wake.OnlyDeletes())).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.ofSecret)).
		WithOptions(options).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// ofDeparted forgets a connector that is gone; there is nothing to look at.
func (r *Reconciler) ofDeparted(_ context.Context, gone client.Object) []reconcile.Request {
	r.forget(client.ObjectKeyFromObject(gone))
	return nil
}

// ofSecret are the connectors that a Secret belongs to. One that failed tries again.
func (r *Reconciler) ofSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	names, err := index.ConnectorsOfSecret(ctx, r.Client, client.ObjectKeyFromObject(secret))
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "looking up the connectors of a secret")
		return nil
	}
	for _, name := range names {
		r.states.hurry(name)
	}
	return wake.Requests(names)
}
