package api_test

import (
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestReferenceExplainsEveryField(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/reference/api.md")
	if err != nil {
		t.Fatal(err)
	}
	connection, rest, hasSubscription := strings.Cut(string(text), "\n## EventSubscription\n")
	subscription, connector, hasConnector := strings.Cut(rest, "\n## ApplicationConnector\n")
	if !hasSubscription || !hasConnector {
		t.Fatal("the page has no part about EventSubscriptions, or none about ApplicationConnectors")
	}
	for crd, page := range map[string]string{
		"concurconnections.concur.ess-operator.io":     connection,
		"eventsubscriptions.concur.ess-operator.io":    subscription,
		"applicationconnectors.concur.ess-operator.io": connector,
	} {
		var definition apiextensionsv1.CustomResourceDefinition
		if err := suite.client.Get(t.Context(), types.NamespacedName{Name: crd}, &definition); err != nil {
			t.Fatal(err)
		}
		all := definition.Spec.Versions[0].Schema.OpenAPIV3Schema
		for _, part := range []string{"spec", "status"} {
			for name := range fields(all.Properties[part]) {
				// As `name`, `.name`, `outer.name` or `name[]`, in the first cell of a row or in the text beside it.
				if !regexp.MustCompile("[`.]" + name + "(\\[\\])?`").MatchString(page) {
					t.Errorf("docs/reference/api.md does not explain %s of %s", name, crd)
				}
			}
		}
	}
}

// fields are the names of all fields that hold values and are ours; what
// Kubernetes' own types hold is explained elsewhere.
func fields(s apiextensionsv1.JSONSchemaProps) map[string]bool {
	found := map[string]bool{}
	for name, inner := range s.Properties {
		if inner.Items != nil && inner.Items.Schema != nil {
			inner = *inner.Items.Schema
		}
		below := fields(inner)
		if len(below) == 0 || name == "conditions" || name == "selector" {
			below = map[string]bool{name: true}
		}
		maps.Copy(found, below)
	}
	return found
}
