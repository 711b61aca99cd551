package wake

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
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
