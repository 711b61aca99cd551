package connection

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/index"
	"github.com/ess-operator/ess-operator/controllers/internal/wake"
)

// +kubebuilder:rbac:groups=concur.ess-operator.io,resources=concurconnections,verbs=list;watch;patch
// +kubebuilder:rbac:groups=concur.ess-operator.io,resources=concurconnections/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// SetupWithManager registers the controller.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.ConcurConnection{}, builder.WithPredicates(wake.OnIntent())).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.ofSecret)).
		Watches(&v1alpha1.EventSubscription{}, handler.EnqueueRequestsFromMapFunc(ofSubscription),
			builder.WithPredicates(concernsConnection())).
		WatchesRawSource(r.cfg.Suspicions.Source(wake.Itself)).
		WithOptions(options).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// ofSecret are the connections that a Secret belongs to.
func (r *Reconciler) ofSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	conns, err := index.ConnectionsOfSecret(ctx, r.cfg.Client, client.ObjectKeyFromObject(secret))
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "looking up the connections of a secret")
		return nil
	}
	requests := make([]reconcile.Request, 0, len(conns))
	for i := range conns {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&conns[i])})
	}
	return requests
}

func ofSubscription(_ context.Context, o client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: index.ConnectionOf(o.(*v1alpha1.EventSubscription))}}
}

// concernsConnection passes what changes the counts of a connection or frees it.
func concernsConnection() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false }, // nothing is held yet, or the start lists everything anyway
		DeleteFunc:  func(event.DeleteEvent) bool { return true },
		GenericFunc: func(event.GenericEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, after := e.ObjectOld.(*v1alpha1.EventSubscription), e.ObjectNew.(*v1alpha1.EventSubscription)
			return before.Status.SubscriptionID != after.Status.SubscriptionID ||
				synced(before) != synced(after) ||
				index.ConnectionOf(before) != index.ConnectionOf(after) ||
				before.Spec.EffectiveDeletionPolicy() != after.Spec.EffectiveDeletionPolicy() ||
				len(before.Finalizers) != len(after.Finalizers)
		},
	}
}

func synced(sub *v1alpha1.EventSubscription) bool {
	for _, c := range sub.Status.Conditions {
		if c.Type == v1alpha1.SyncedCondition {
			return c.Status == metav1.ConditionTrue
		}
	}
	return false
}

func timeOf(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return &metav1.Time{Time: t.Truncate(time.Second)}
}
