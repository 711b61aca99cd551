package controllers

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestSecretsAreCachedByName(t *testing.T) {
	t.Parallel()
	kind := metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}
	got, err := keepName(&metav1.PartialObjectMetadata{TypeMeta: kind, ObjectMeta: metav1.ObjectMeta{
		Namespace: "finance", Name: "acme", UID: "1", ResourceVersion: "2",
		Labels:        map[string]string{"app": "acme"},
		Annotations:   map[string]string{corev1.LastAppliedConfigAnnotation: `{"stringData":{"client_secret":"hidden"}}`},
		ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := &metav1.PartialObjectMetadata{TypeMeta: kind, ObjectMeta: metav1.ObjectMeta{
		Namespace: "finance", Name: "acme", UID: "1", ResourceVersion: "2",
	}}
	if diff := cmp.Diff(any(want), got); diff != "" {
		t.Errorf("what is kept of a Secret (-want +got):\n%s", diff)
	}
}
