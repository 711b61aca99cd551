package routes

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/sink"
)

// gather is for how long changes are gathered before they are written. The
// kubelet takes far longer to bring them into the receiver.
const gather = time.Second

// request is the only key.
var request = reconcile.Request{NamespacedName: types.NamespacedName{Name: Key}}

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// SetupWithManager registers the controller.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	options.MaxConcurrentReconciles = 1
	this := predicate.NewPredicateFuncs(func(o client.Object) bool { return client.ObjectKeyFromObject(o) == r.cfg.Secret })
	return ctrl.NewControllerManagedBy(mgr).Named("routes").
		Watches(&v1alpha1.EventSubscription{}, soon(), builder.WithPredicates(routesMayChange())).
		Watches(&v1alpha1.ConcurConnection{}, soon(), builder.WithPredicates(sourcesMayChange())).
		Watches(&v1alpha1.ApplicationConnector{}, soon(), builder.WithPredicates(connectorsMayChange())).
		// Somebody may have taken the routes away, and a pod of the receiver that starts waits for them.
		WatchesMetadata(&corev1.Secret{}, soon(), builder.WithPredicates(this)).
		WatchesRawSource(r.cfg.Changed.Source(theFile)).
		// Once at the start, when there may be no object left to tell that its route has to go.
		WatchesRawSource(source.Func(func(_ context.Context, q queue) error { q.AddAfter(request, gather); return nil })).
		WithOptions(options).
		Complete(r)
}

// theFile is for calls about whatever connector: there is one file.
func theFile(context.Context, types.NamespacedName) []types.NamespacedName {
	return []types.NamespacedName{request.NamespacedName}
}

// soon has the routes looked at when changes have been gathered.
func soon() handler.EventHandler {
	return handler.Funcs{
		CreateFunc: func(_ context.Context, _ event.CreateEvent, q queue) { q.AddAfter(request, gather) },
		UpdateFunc: func(_ context.Context, _ event.UpdateEvent, q queue) { q.AddAfter(request, gather) },
		DeleteFunc: func(_ context.Context, _ event.DeleteEvent, q queue) { q.AddAfter(request, gather) },
	}
}

// routesMayChange passes changes of EventSubscriptions that concern the receiver.
func routesMayChange() predicate.Predicate {
	uses := func(o client.Object) bool { return o.(*v1alpha1.EventSubscription).Spec.Endpoint.Receiver != nil }
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return uses(e.Object) },
		DeleteFunc: func(e event.DeleteEvent) bool { return uses(e.Object) },
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, after := e.ObjectOld.(*v1alpha1.EventSubscription), e.ObjectNew.(*v1alpha1.EventSubscription)
			return (uses(before) || uses(after)) &&
				(before.Generation != after.Generation || sink.OfSubscription(&before.Status) != sink.OfSubscription(&after.Status))
		},
	}
}

// connectorsMayChange passes changes of ApplicationConnectors that concern the receiver.
func connectorsMayChange() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, after := e.ObjectOld.(*v1alpha1.ApplicationConnector), e.ObjectNew.(*v1alpha1.ApplicationConnector)
			return before.Generation != after.Generation || sink.OfConnector(&before.Status) != sink.OfConnector(&after.Status)
		},
	}
}

// sourcesMayChange passes changes of ConcurConnections that concern where events come from.
func sourcesMayChange() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, after := e.ObjectOld.(*v1alpha1.ConcurConnection), e.ObjectNew.(*v1alpha1.ConcurConnection)
			return before.Generation != after.Generation || before.Status.Geolocation != after.Status.Geolocation
		},
	}
}
