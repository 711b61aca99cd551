// Package uninstall tells a user who deletes an object from one who removes
// the operator: deleting a CustomResourceDefinition deletes every object of
// its kind, and nobody means by that to delete at Concur.
package uninstall

import (
	"context"
	"fmt"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Names of our definitions.
const (
	ConcurConnections  = "concurconnections.concur.ess-operator.io"
	EventSubscriptions = "eventsubscriptions.concur.ess-operator.io"
)

// UnderWay reports whether a definition is being deleted, or gone. It asks the
// API server through reader, and is meant for deletions only. Where the
// operator may not read definitions, the answer is no.
func UnderWay(ctx context.Context, reader client.Reader, definition string) (bool, error) {
	crd := &metav1.PartialObjectMetadata{}
	crd.SetGroupVersionKind(apiextensionsv1.SchemeGroupVersion.WithKind("CustomResourceDefinition"))
	switch err := reader.Get(ctx, client.ObjectKey{Name: definition}, crd); {
	case apierrors.IsNotFound(err):
		return true, nil
	case apierrors.IsForbidden(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("reading the definition %s: %w", definition, err)
	default:
		return !crd.DeletionTimestamp.IsZero(), nil
	}
}
