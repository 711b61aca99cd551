package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"
)

// nodeOf is an object as walk takes it.
func nodeOf(t *testing.T, o map[string]any) *kyaml.RNode {
	t.Helper()
	content, err := yaml.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	node, err := kyaml.Parse(string(content))
	if err != nil {
		t.Fatal(err)
	}
	return node
}

// TestSameAsKustomize holds the chart against the overlays. What may differ is in
// withoutOrigin, and nowhere else.
func TestSameAsKustomize(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ reason, overlay, values string }{
		"Default": {
			reason:  "who installs the chart as it is gets what config/default is",
			overlay: "config/default",
			values:  "",
		},
		"OperatorAlone": {
			reason:  "without the receiver the chart is config/operator, and nothing of the receiver stays",
			overlay: "config/operator",
			values:  "{receiver: {enabled: false}, networkPolicy: {enabled: false}}",
		},
		"Knative": {
			reason:  "the component for Knative sinks is one value",
			overlay: "hack/chart/source/knative",
			values:  "{manager: {knativeSinks: true}}",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := withoutOrigin(t, kustomized(t, filepath.Join(root, c.overlay)))
			got := withoutOrigin(t, rendered(t, standard, c.values))
			for id := range want {
				if diff := cmp.Diff(want[id], got[id]); diff != "" {
					t.Errorf("%s: %s differs from %s (-kustomize +helm):\n%s", c.reason, id, c.overlay, diff)
				}
			}
			for id := range got {
				if want[id] == nil {
					t.Errorf("%s: %s is not in %s", c.reason, id, c.overlay)
				}
			}
		})
	}
}

// kustomized returns what kustomize builds of a directory, by Kind/name.
func kustomized(t *testing.T, dir string) map[string]map[string]any {
	t.Helper()
	objects, err := kustomize(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, o := range objects {
		all.WriteString("---\n" + o.node.MustString())
	}
	return byName(t, all.String())
}

// withoutOrigin takes away what may differ: the labels that say who installed it,
// the namespace itself, which is made by whoever installs a chart, Helm's annotation on
// what stays, and how the receiver's configuration is written.
func withoutOrigin(t *testing.T, objects map[string]map[string]any) map[string]map[string]any {
	t.Helper()
	delete(objects, "Namespace/"+standard.namespace)
	for _, o := range objects {
		metadata, _ := o["metadata"].(map[string]any)
		labels, _ := metadata["labels"].(map[string]any)
		for _, label := range []string{"app.kubernetes.io/managed-by", "app.kubernetes.io/instance", "helm.sh/chart"} {
			delete(labels, label)
		}
		if annotations, _ := metadata["annotations"].(map[string]any); annotations != nil {
			delete(annotations, "helm.sh/resource-policy")
			if len(annotations) == 0 {
				delete(metadata, "annotations")
			}
		}
		if data, _ := o["data"].(map[string]any); data["config.yaml"] != nil {
			data["config.yaml"] = byConfig(t, objects)
		}
	}
	return objects
}

// byConfig returns the receiver's configuration among objects.
func byConfig(t *testing.T, objects map[string]map[string]any) map[string]any {
	t.Helper()
	data, _ := objects["ConfigMap/ess-operator-receiver"]["data"].(map[string]any)
	text, _ := data["config.yaml"].(string)
	var config map[string]any
	if err := yaml.UnmarshalStrict([]byte(text), &config); err != nil || config == nil {
		t.Fatalf("reading the receiver's configuration: %v\n%s", err, text)
	}
	return config
}
