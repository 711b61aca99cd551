package eventsubscription

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
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

// +kubebuilder:rbac:groups=concur.ess-operator.io,resources=eventsubscriptions,verbs=list;watch;patch
// +kubebuilder:rbac:groups=concur.ess-operator.io,resources=eventsubscriptions/status,verbs=patch
// +kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,resourceNames=concurconnections.concur.ess-operator.io;eventsubscriptions.concur.ess-operator.io,verbs=get
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=list;watch

// SetupWithManager registers the controller.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	b := ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.EventSubscription{}, builder.WithPredicates(wake.OnIntent())).
		Watches(&v1alpha1.EventSubscription{}, handler.EnqueueRequestsFromMapFunc(r.ofRival),
			builder.WithPredicates(changesHands())).
		Watches(&v1alpha1.ConcurConnection{}, handler.EnqueueRequestsFromMapFunc(r.ofConnectionObject),
			builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesRawSource(r.cfg.Dependents.Source(r.ofConnection)).
		WithOptions(options)
	if r.cfg.Reports != nil {
		b = b.WatchesRawSource(r.cfg.Reports.Source(wake.Itself))
	}
	if !r.namespaced() {
		b = b.WatchesMetadata(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(r.ofNamespace),
			builder.WithPredicates(predicate.LabelChangedPredicate{}))
	}
	return b.Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// changesHands passes an object that is gone, that came to have a subscription at ESS, or that has it no longer:
// whoever wants the same one learns of it now, not at the next resync.
func changesHands() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return holdingOf(e.ObjectOld.(*v1alpha1.EventSubscription)) != holdingOf(e.ObjectNew.(*v1alpha1.EventSubscription))
		},
	}
}

// ofRival are the others that want the id of an object.
func (r *Reconciler) ofRival(ctx context.Context, o client.Object) []reconcile.Request {
	return wake.Requests(r.rivals(ctx, o.(*v1alpha1.EventSubscription)))
}

func (r *Reconciler) ofConnectionObject(ctx context.Context, o client.Object) []reconcile.Request {
	return wake.Requests(r.ofConnection(ctx, client.ObjectKeyFromObject(o)))
}

// ofConnection are the objects that refer to a connection.
func (r *Reconciler) ofConnection(ctx context.Context, connection types.NamespacedName) []types.NamespacedName {
	subs, err := index.SubscriptionsOfConnection(ctx, r.cfg.Client, connection, index.AsSeen)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "looking up the objects of a connection")
		return nil
	}
	return names(subs)
}

// ofNamespace are the objects of a namespace whose labels changed, because a
// connection may admit namespaces by label.
func (r *Reconciler) ofNamespace(ctx context.Context, o client.Object) []reconcile.Request {
	var list v1alpha1.EventSubscriptionList
	if err := r.cfg.Client.List(ctx, &list, client.InNamespace(o.GetName()), index.AsSeen); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "looking up the objects of a namespace")
		return nil
	}
	return wake.Requests(names(list.Items))
}

func names(subs []v1alpha1.EventSubscription) []types.NamespacedName {
	all := make([]types.NamespacedName, 0, len(subs))
	for i := range subs {
		all = append(all, client.ObjectKeyFromObject(&subs[i]))
	}
	return all
}
