// Package request reads the annotation by which a person or a GitOps tool asks
// for a reconcile now, as status acknowledges it.
package request

import (
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/bounded"
)

// longest is what the schema allows in status.
const longest = 256

// Of is the request that an object carries, cut to what status can hold; empty when there is none.
func Of(o client.Object) string {
	return bounded.Text(o.GetAnnotations()[v1alpha1.ReconcileRequestedAtAnnotation], longest)
}
