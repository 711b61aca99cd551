package api_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// validation is one rule of a schema with an object on either side of it.
type validation struct {
	// rule is the field and the keyword of the schema, as "spec.topic maxLength".
	rule   string
	reason string
	// stored is what the object was before, for rules about changes.
	stored string
	// accepted and refused are YAML that is merged into a minimal object; null takes a field away.
	accepted, refused string
	// message is what a user reads about the refused object.
	message string
}

func (v validation) test(t *testing.T, minimal string) {
	t.Helper()
	namespace := newNamespace(t)
	accepted, refused := object(t, namespace, minimal, v.accepted), object(t, namespace, minimal, v.refused)
	send := func(o *unstructured.Unstructured) error { return suite.client.Create(t.Context(), o, client.DryRunAll) }
	if v.stored != "" {
		stored := object(t, namespace, minimal, v.stored)
		if err := suite.client.Create(t.Context(), stored); err != nil {
			t.Fatal(err)
		}
		accepted.SetResourceVersion(stored.GetResourceVersion())
		refused.SetResourceVersion(stored.GetResourceVersion())
		send = func(o *unstructured.Unstructured) error { return suite.client.Update(t.Context(), o, client.DryRunAll) }
	}
	if err := send(accepted); err != nil {
		t.Errorf("refused though it keeps the rule (%s): %v", v.reason, err)
	}
	switch err := send(refused); {
	case !apierrors.IsInvalid(err):
		t.Errorf("the answer is %v, want a refusal: %s", err, v.reason)
	case !strings.Contains(err.Error(), v.message):
		t.Errorf("the message is\n\t%v\nwant it to hold\n\t%s", err, v.message)
	}
}

// object is the minimal object with a change merged into it.
func object(t *testing.T, namespace, minimal, change string) *unstructured.Unstructured {
	t.Helper()
	var base, patch map[string]any
	for text, into := range map[string]*map[string]any{minimal: &base, change: &patch} {
		if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
			t.Fatalf("reading %q: %v", text, err)
		}
	}
	o := &unstructured.Unstructured{Object: merged(base, patch)}
	o.SetNamespace(namespace)
	return o
}

// merged is RFC 7396: objects are merged, null takes away, all else replaces.
func merged(base, patch map[string]any) map[string]any {
	if base == nil {
		base = map[string]any{}
	}
	for key, value := range patch {
		switch inner, isObject := value.(map[string]any); {
		case value == nil:
			delete(base, key)
		case isObject:
			old, _ := base[key].(map[string]any)
			base[key] = merged(old, inner)
		default:
			base[key] = value
		}
	}
	return base
}

func newNamespace(t *testing.T) string {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "t-"}}
	if err := suite.client.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	return namespace.Name
}

// of lets a table say how long a string is.
func of(length int, text string) string {
	return strings.Repeat(text, length/len(text)+1)[:length]
}
