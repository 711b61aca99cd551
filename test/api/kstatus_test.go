package api_test

import (
	"strings"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

const unseen = `
apiVersion: concur.ess-operator.io/v1alpha1
kind: ConcurConnection
metadata: {name: unseen}
spec: {baseURL: "https://us2.api.concursolutions.com", credentialsSecretRef: {name: acme-us}}
---
apiVersion: concur.ess-operator.io/v1alpha1
kind: EventSubscription
metadata: {name: unseen}
spec: {connectionRef: {name: unseen}, topic: public.concur.expense.report, endpoint: {receiver: {}}}
---
apiVersion: concur.ess-operator.io/v1alpha1
kind: ApplicationConnector
metadata: {name: unseen}
spec: {credentialsSecretRef: {name: reports}}
`

// TestObjectThatNobodyHasSeenIsNotReady applies objects where no operator runs. Flux would go on
// with what depends on them as soon as kstatus calls them Current.
func TestObjectThatNobodyHasSeenIsNotReady(t *testing.T) {
	t.Parallel()
	namespace := newNamespace(t)
	if _, err := suite.plane.KubectlInput(t.Context(), strings.NewReader(unseen), "apply", "-n", namespace, "-f", "-"); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"ConcurConnection", "EventSubscription", "ApplicationConnector"} {
		o := &unstructured.Unstructured{}
		o.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
		if err := suite.client.Get(t.Context(), types.NamespacedName{Namespace: namespace, Name: "unseen"}, o); err != nil {
			t.Fatal(err)
		}
		result, err := status.Compute(o)
		if err != nil {
			t.Fatal(err)
		}
		if result.Status != status.InProgressStatus {
			t.Errorf("kstatus reads a %s without an operator as %s (%s), want %s", kind, result.Status, result.Message, status.InProgressStatus)
		}
	}
}
