package api_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestEveryRuleOfASpecHasAnEntry(t *testing.T) {
	t.Parallel()
	for crd, table := range map[string][]validation{
		"concurconnections.concur.ess-operator.io":     slices.Concat(connectionRules, connectionLimits),
		"eventsubscriptions.concur.ess-operator.io":    slices.Concat(subscriptionRules, allSinkRules),
		"applicationconnectors.concur.ess-operator.io": allConnectorRules,
	} {
		t.Run(crd, func(t *testing.T) {
			t.Parallel()
			var tested []string
			for _, v := range table {
				tested = append(tested, v.rule)
			}
			slices.Sort(tested)
			want := rules("", schema(t, crd))
			slices.Sort(want)
			if diff := cmp.Diff(want, slices.Compact(tested)); diff != "" {
				t.Errorf("rules of the schema and entries of the table differ (-schema +table):\n%s", diff)
			}
		})
	}
}

// schema is that of the only version, without the parts that users do not write.
func schema(t *testing.T, crd string) apiextensionsv1.JSONSchemaProps {
	t.Helper()
	var definition apiextensionsv1.CustomResourceDefinition
	if err := suite.client.Get(t.Context(), types.NamespacedName{Name: crd}, &definition); err != nil {
		t.Fatal(err)
	}
	if n := len(definition.Spec.Versions); n != 1 {
		t.Fatalf("%s has %d versions, and this test knows of one", crd, n)
	}
	s := *definition.Spec.Versions[0].Schema.OpenAPIV3Schema
	delete(s.Properties, "status")
	return s
}

// rules lists what a schema demands, as "spec.topic maxLength".
func rules(path string, s apiextensionsv1.JSONSchemaProps) []string {
	var found []string
	note := func(holds bool, keyword string) {
		if holds {
			found = append(found, path+" "+keyword)
		}
	}
	note(s.MinLength != nil, "minLength")
	note(s.MaxLength != nil, "maxLength")
	note(s.Minimum != nil, "minimum")
	note(s.Maximum != nil, "maximum")
	note(s.MinItems != nil, "minItems")
	note(s.MaxItems != nil, "maxItems")
	note(s.MinProperties != nil, "minProperties")
	note(s.MaxProperties != nil, "maxProperties")
	note(s.Pattern != "", "pattern")
	note(len(s.Enum) > 0, "enum")
	note(s.Format == "byte", "format") // numbers have bounds, narrower than their formats
	for i := range s.XValidations {
		note(true, fmt.Sprintf("rule %d", i+1))
	}
	for _, name := range s.Required {
		found = append(found, below(path, name)+" required")
	}
	for name, inner := range s.Properties {
		found = append(found, rules(below(path, name), inner)...)
	}
	if s.Items != nil && s.Items.Schema != nil {
		found = append(found, rules(path+"[]", *s.Items.Schema)...)
	}
	return found
}

func below(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func TestSchemasHaveNoDefaults(t *testing.T) {
	t.Parallel()
	for _, crd := range []string{
		"concurconnections.concur.ess-operator.io", "eventsubscriptions.concur.ess-operator.io", "applicationconnectors.concur.ess-operator.io",
	} {
		for _, path := range defaults("", schema(t, crd)) {
			t.Errorf("%s: %s has a default, which a GitOps tool would show as a difference", crd, path)
		}
	}
}

// defaults lists the fields that have one.
func defaults(path string, s apiextensionsv1.JSONSchemaProps) []string {
	var found []string
	if s.Default != nil {
		found = append(found, path)
	}
	for name, inner := range s.Properties {
		found = append(found, defaults(below(path, name), inner)...)
	}
	if s.Items != nil && s.Items.Schema != nil {
		found = append(found, defaults(path+"[]", *s.Items.Schema)...)
	}
	return found
}
