package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"
)

// needed is what has to be set for a value, or for all that begin with the key, to mean
// anything.
var needed = map[string]string{
	"receiver.ingress":                  "{receiver: {publicURL: 'https://events.example.com', ingress: {enabled: true}}}",
	"receiver.ingress.enabled":          "{receiver: {publicURL: 'https://events.example.com'}}",
	"certManager":                       "{receiver: {publicURL: 'https://events.example.com'}, certManager: {enabled: true, issuerRef: {name: letsencrypt}}}",
	"certManager.enabled":               "{receiver: {publicURL: 'https://events.example.com'}, certManager: {issuerRef: {name: letsencrypt}}}",
	"monitoring.serviceMonitor":         "{monitoring: {serviceMonitor: {enabled: true}}}",
	"monitoring.serviceMonitor.enabled": "{monitoring: {serviceMonitor: {enabled: false}}}",
	"monitoring.prometheusRule":         "{monitoring: {prometheusRule: {enabled: true}}}",
	"monitoring.prometheusRule.enabled": "{monitoring: {prometheusRule: {enabled: false}}}",
	"rbac.clusterReads":                 "{manager: {watchNamespaces: [finance]}}",
	"rbac.namespaceDeletion":            "{manager: {watchNamespaces: [finance]}}",
}

// TestEveryValueHasAnEffect changes each value of values.yaml in turn. A value that
// nothing reads, and one that the schema has no other example for, fails here.
func TestEveryValueHasAnEffect(t *testing.T) {
	t.Parallel()
	schema := chartSchema(t)
	for _, r := range chartValues(t) {
		t.Run(r.key, func(t *testing.T) {
			t.Parallel()
			base := baseFor(t, r.key)
			before := manifests(t, base)
			after := manifests(t, with(t, base, r.key, another(t, schema, r)))
			if before == after {
				t.Errorf("%s changes nothing", r.key)
			}
		})
	}
}

// chartValues are the values of the chart that have a comment, which are all of them.
func chartValues(t *testing.T) []row {
	t.Helper()
	values, err := kyaml.Parse(readChart(t, "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := documented(values, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) < 40 {
		t.Fatalf("values.yaml has %d values; some are missing", len(rows))
	}
	return rows
}

// readChart reads a file of the chart.
func readChart(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, chartDir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// baseFor is what has to be set for a value to mean anything.
func baseFor(t *testing.T, key string) map[string]any {
	t.Helper()
	longest, base := "", map[string]any{}
	if !strings.HasPrefix(key, "crds.") {
		base = with(t, base, "crds.install", false) // they are most of what there is to render
	}
	for prefix, values := range needed {
		if (key == prefix || strings.HasPrefix(key, prefix+".")) && len(prefix) > len(longest) {
			longest = prefix
			if err := yaml.Unmarshal([]byte(values), &base); err != nil {
				t.Fatal(err)
			}
		}
	}
	return base
}

// with sets a value in a copy.
func with(t *testing.T, values map[string]any, key string, value any) map[string]any {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(asJSON(t, values)), &all); err != nil {
		t.Fatal(err)
	}
	words, place := strings.Split(key, "."), all
	for _, word := range words[:len(words)-1] {
		next, _ := place[word].(map[string]any)
		if next == nil {
			next = map[string]any{}
			place[word] = next
		}
		place = next
	}
	place[words[len(words)-1]] = value
	return all
}

// manifests renders a release of the chart, and returns all of it.
func manifests(t *testing.T, values map[string]any) string {
	t.Helper()
	r, err := helm(standard, asJSON(t, values))
	if err != nil {
		t.Fatal(err)
	}
	return r.Manifest
}

// property is what the schema says of one value.
type property struct {
	Type                 string
	Enum                 []any
	Examples             []any
	Properties           map[string]property
	AdditionalProperties any
	Ref                  string              `json:"$ref"`
	Defs                 map[string]property `json:"definitions"`
}

// chartSchema reads values.schema.json.
func chartSchema(t *testing.T) property {
	t.Helper()
	var schema property
	if err := json.Unmarshal([]byte(readChart(t, "values.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	return schema
}

// resolve follows a reference to the definitions.
func (s property) resolve(p property) property {
	if name, ok := strings.CutPrefix(p.Ref, "#/definitions/"); ok {
		return s.Defs[name]
	}
	return p
}

// find returns what the schema says of a value.
func (s property) find(t *testing.T, key string) property {
	t.Helper()
	p := s
	for word := range strings.SplitSeq(key, ".") {
		next, ok := s.resolve(p).Properties[word]
		if !ok {
			t.Fatalf("the schema has no %s", key)
		}
		p = next
	}
	return s.resolve(p)
}

// another returns a value that the schema allows and that is not the default.
func another(t *testing.T, schema property, r row) any {
	t.Helper()
	p := schema.find(t, r.key)
	var now any
	if err := r.value.YNode().Decode(&now); err != nil {
		t.Fatal(err)
	}
	candidates := append(p.Examples, p.Enum...)
	switch v := now.(type) {
	case bool:
		candidates = []any{!v}
	case int:
		candidates = []any{v + 1}
	}
	for _, c := range candidates {
		if !reflect.DeepEqual(c, now) {
			return c
		}
	}
	t.Fatalf("the schema has no example for %s", r.key)
	return nil
}
