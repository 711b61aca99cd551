package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"
)

// rulesOfChart reads the rules of schema.yaml.
func rulesOfChart(t *testing.T) []rule {
	t.Helper()
	content, err := static.ReadFile("static/schema.yaml")
	if err != nil {
		t.Fatal(err)
	}
	node, err := kyaml.Parse(string(content))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := takeRules(node)
	if err != nil {
		t.Fatal(err)
	}
	if len(rules) < 40 {
		t.Fatalf("schema.yaml has %d rules; some are missing", len(rules))
	}
	return rules
}

// renderers are both Helms, which must say the same.
var renderers = map[string]func(values string) (string, error){
	"Helm3": render3,
	"Helm4": func(values string) (string, error) {
		r, err := helm(standard, values)
		if err != nil {
			return "", err
		}
		return r.Manifest, nil
	},
}

// TestFormsAreToldInWords gives every value that has a form one that has not, with all of
// the chart turned on: what is told must be the check's words, and not a regular
// expression, nor what another template makes of the value.
func TestFormsAreToldInWords(t *testing.T) {
	t.Parallel()
	const bad = " no\tForm "
	for version, render := range renderers {
		for _, r := range rulesOfChart(t) {
			if r.pattern == "" {
				continue
			}
			t.Run(version+"/"+r.key, func(t *testing.T) {
				t.Parallel()
				var value any = bad
				says := fmt.Sprintf("%s is %q: it must %s", r.key, bad, r.says)
				if r.items {
					value, says = []string{bad}, strings.Replace(says, r.key, r.key+"[0]", 1)
				}
				_, err := render(asJSON(t, with(t, allOn(t), r.key, value)))
				if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), r.pattern) {
					t.Errorf("%s: %q gives %v, want an error with %q and without the pattern", r.key, bad, err, says)
				}
			})
		}
	}
}

// allOn is everything as a map.
func allOn(t *testing.T) map[string]any {
	t.Helper()
	var values map[string]any
	if err := yaml.Unmarshal([]byte(everything), &values); err != nil {
		t.Fatal(err)
	}
	return values
}

// TestAllFaultsAreToldAtOnce spares who has several from finding one after the other.
func TestAllFaultsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	const values = "{receiver: {publicURL: events.example.com, config: {journal: {bbolt: {maxSize: lots}}}}, manager: {podLabels: {app.kubernetes.io/name: x}}}"
	for version, render := range renderers {
		_, err := render(values)
		for _, key := range []string{"receiver.publicURL", "receiver.config.journal.bbolt.maxSize", "manager.podLabels has app.kubernetes.io/name"} {
			if err == nil || !strings.Contains(err.Error(), "\n- "+key) {
				t.Errorf("%s gives %v, want an error with a line on %s", version, err, key)
			}
		}
	}
}

// TestSchemaShowsNoPattern holds the schema to what Helm says well.
func TestSchemaShowsNoPattern(t *testing.T) {
	t.Parallel()
	var schema any
	if err := json.Unmarshal([]byte(readChart(t, "values.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	var look func(at string, v any)
	look = func(at string, v any) {
		m, _ := v.(map[string]any)
		for key, below := range m {
			if slices.Contains(ruleWords, key) {
				t.Errorf("values.schema.json has %s.%s", at, key)
			}
			look(at+"."+key, below)
		}
	}
	look("", schema)
}

// TestChartsKeysAreTheChartsAlone takes every label, annotation and variable that the
// chart gives a pod, and tries to give it again: a selector would find nothing, and a key
// would be there twice.
func TestChartsKeysAreTheChartsAlone(t *testing.T) {
	t.Parallel()
	objects := rendered(t, standard, everything)
	tried := 0
	for _, program := range []string{"manager", "receiver"} {
		deployment := objects["Deployment/ess-operator-"+program]
		for value, field := range map[string]string{
			"podLabels": "spec template metadata labels", "podAnnotations": "spec template metadata annotations",
			"extraEnv": managerPod + "containers [name=" + program + "] env",
		} {
			for _, key := range namesIn(tidy(t, at(t, deployment, field))) {
				if strings.Contains(everything, key) {
					continue // of the user
				}
				tried++
				var given any = map[string]string{key: "x"}
				if value == "extraEnv" {
					given = []any{map[string]string{"name": key, "value": "x"}}
				}
				says := fmt.Sprintf("%s.%s has %s: take it out, since ", program, value, key)
				_, err := helm(standard, asJSON(t, with(t, allOn(t), program+"."+value, given)))
				if err == nil || !strings.Contains(err.Error(), says) {
					t.Errorf("%s.%s with %s gives %v, want an error with %q", program, value, key, err, says)
				}
			}
		}
	}
	if tried < 10 {
		t.Errorf("%d keys were tried only", tried)
	}
}

// namesIn are the keys of a map, or the names of a list's items.
func namesIn(v any) []string {
	if m, ok := v.(map[string]any); ok {
		return slices.Sorted(maps.Keys(m))
	}
	var names []string
	items, _ := v.([]any)
	for _, item := range items {
		m, _ := item.(map[string]any)
		name, _ := m["name"].(string)
		names = append(names, name)
	}
	return names
}

// TestBadRulesAreRefused holds schema.yaml to words for every pattern.
func TestBadRulesAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ reason, schema, says string }{
		"NoWords":  {"a pattern alone would be shown as it is", "properties: {a: {pattern: x}}", "a: pattern needs says"},
		"NoForm":   {"words without a pattern check nothing", "properties: {a: {properties: {b: {says: be x}}}}", "a.b: pattern needs says"},
		"NoReason": {"a key that is refused needs a reason", "properties: {a: {reserved: [x]}}", "reserved needs because"},
		"BadForm":  {"what is no expression matches nothing", "properties: {a: {items: {pattern: '(', says: be x}}}", "missing closing"},
		"NoTarget": {"a reference that leads nowhere hides a rule", "properties: {a: {$ref: '#/definitions/b'}}\ndefinitions: {c: {}}", "there is no"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			node, err := kyaml.Parse(c.schema)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := takeRules(node); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, want %q", c.reason, err, c.says)
			}
		})
	}
}
