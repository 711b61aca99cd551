package wake

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// Itself is the Resolve of bells whose calls name the very object to look at.
func Itself(_ context.Context, object types.NamespacedName) []types.NamespacedName {
	return []types.NamespacedName{object}
}

// Requests are what a queue takes for the objects named.
func Requests(names []types.NamespacedName) []reconcile.Request {
	all := make([]reconcile.Request, 0, len(names))
	for _, name := range names {
		all = append(all, reconcile.Request{NamespacedName: name})
	}
	return all
}

// OnlyDeletes passes the end of an object, and nothing else.
func OnlyDeletes() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false },
		UpdateFunc:  func(event.UpdateEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

// OnIntent passes what others do to an object, and not what the operator itself writes: its beginning and end, a new
// spec, new annotations, and what [replaced] tells.
func OnIntent() predicate.Predicate {
	return predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}, predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool { return replaced(e.ObjectOld, e.ObjectNew) },
	})
}

// replaced reports whether an object lives on without our finalizer, as after kubectl replace, or is another one of the
// same name: a watch that was interrupted tells an end and a beginning as one update.
func replaced(before, after client.Object) bool {
	disarmed := controllerutil.ContainsFinalizer(before, v1alpha1.Finalizer) && !controllerutil.ContainsFinalizer(after, v1alpha1.Finalizer)
	return before.GetUID() != after.GetUID() || disarmed && after.GetDeletionTimestamp().IsZero()
}
