// Package finalizer puts the operator's finalizer on objects and takes it off.
// It is the only thing outside status that the operator writes.
//
// It may have to do so from a cache that is behind. Whoever changes the object otherwise
// meanwhile must not be in the way, or one who does so all the time would keep the
// operator from ever beginning.
package finalizer

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// Ensure puts the finalizer on an object that is not being deleted. Afterwards o is what the API server has. It
// fails when o is not up to date about finalizers.
func Ensure(ctx context.Context, c client.Client, o client.Object) error {
	before := o.DeepCopyObject().(client.Object)
	if !o.GetDeletionTimestamp().IsZero() || !controllerutil.AddFinalizer(o, v1alpha1.Finalizer) {
		return nil
	}
	if err := replace(ctx, c, before, o); err != nil {
		return fmt.Errorf("adding the finalizer: %w", err)
	}
	return nil
}

// Release takes the finalizer off. An object that is gone already is no failure. It fails when o is not up to date
// about finalizers or spec; it does not look at status, which only a former leader may have written meanwhile.
func Release(ctx context.Context, c client.Client, o client.Object) error {
	before := o.DeepCopyObject().(client.Object)
	if !controllerutil.RemoveFinalizer(o, v1alpha1.Finalizer) {
		return nil
	}
	err := replace(ctx, c, before, o, operation{"test", "/metadata/generation", before.GetGeneration()})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("removing the finalizer: %w", err)
	}
	return nil
}

// operation is one of a JSON patch (RFC 6902).
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// replace replaces the list of finalizers, which goes as a whole, if it is as it was before, of the same object.
func replace(ctx context.Context, c client.Client, before, after client.Object, tests ...operation) error {
	patch, err := json.Marshal(append(tests,
		operation{"test", "/metadata/uid", before.GetUID()},
		operation{"test", "/metadata/finalizers", before.GetFinalizers()}, // null is for none
		operation{"add", "/metadata/finalizers", after.GetFinalizers()},
	))
	if err != nil {
		return err
	}
	return c.Patch(ctx, after, client.RawPatch(types.JSONPatchType, patch))
}
