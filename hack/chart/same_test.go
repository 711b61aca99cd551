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

// overlaysOfUsers are written into a copy of config/, as docs/install.md and
// docs/install-namespaced.md have them.
var overlaysOfUsers = map[string]string{
	"finance": "namespace: finance\nresources: [../namespaced/watched]",
	"travel":  "namespace: travel\nresources: [../namespaced/watched]",
	"some":    "resources: [../namespaced, ../finance, ../travel]\n" + labelled + watching,
	"more": "resources: [../namespaced, ../finance]\ncomponents: [../namespaced/cluster-reads, ../namespaced/namespace-deletion]\n" +
		labelled + strings.ReplaceAll(watching, ",travel", ""),
	"knative-sinks":      "resources: [../default]\ncomponents: [../knative]\n" + labelled,
	"monitored":          "resources: [../default]\ncomponents: [../monitoring]\n" + labelled,
	"operator-monitored": "resources: [../operator]\ncomponents: [../monitoring]\n" + labelled + withoutReceiver,
	"certificate": `
resources: [../default]
components: [../cert-manager]
patches:
- target: {kind: Certificate, name: ess-operator-receiver}
  patch: |
    - {op: replace, path: /spec/dnsNames/0, value: events.example.com}
    - {op: replace, path: /spec/issuerRef/name, value: letsencrypt}
`,
}

const (
	labelled        = "labels: [{pairs: {app.kubernetes.io/name: ess-operator, app.kubernetes.io/part-of: ess-operator}}]\n"
	withoutReceiver = `
patches:
- patch: "{$patch: delete, apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, metadata: {name: ess-operator-receiver, namespace: ess-operator-system}}"
- patch: "{$patch: delete, apiVersion: monitoring.coreos.com/v1, kind: PrometheusRule, metadata: {name: ess-operator-receiver, namespace: ess-operator-system}}"
`
	watching = `
patches:
- target: {kind: Deployment, name: ess-operator-manager}
  patch: |
    - {op: replace, path: /spec/template/spec/containers/0/args/7, value: "--watch-namespaces=finance,travel"}
    - {op: test, path: /spec/template/spec/containers/0/env/2/name, value: WATCH_NAMESPACES}
    - {op: remove, path: /spec/template/spec/containers/0/env/2}
- patch: "{$patch: delete, apiVersion: v1, kind: ConfigMap, metadata: {name: ess-operator-namespaces, namespace: ess-operator-system}}"
`
)

// TestSameAsKustomize holds the chart against overlays. What may differ is in
// withoutOrigin, but for the list of namespaces: kustomize has it in a ConfigMap, which
// the overlays above put where the chart has its value.
func TestSameAsKustomize(t *testing.T) {
	t.Parallel()
	config := copyOfConfig(t)
	for name, kustomization := range overlaysOfUsers {
		writeFile(t, filepath.Join(config, name, "kustomization.yaml"), kustomization)
	}
	for name, c := range map[string]struct{ reason, overlay, values string }{
		"Default":       {"who installs the chart as it is gets what config/default is", "default", ""},
		"OperatorAlone": {"without the receiver nothing of it stays", "operator", "{receiver: {enabled: false}, networkPolicy: {enabled: false}}"},
		"Knative":       {"the component for Knative sinks is one value", "knative-sinks", "{manager: {knativeSinks: true}}"},
		"Namespaced":    {"some namespaces are a list", "some", "{manager: {watchNamespaces: [finance, travel]}}"},
		"NamespacedMore": {
			"what only a ClusterRole can grant is by choice", "more",
			"{manager: {watchNamespaces: [finance]}, rbac: {clusterReads: true, namespaceDeletion: true}}",
		},
		"Monitoring": {
			"what Prometheus reads is two values", "monitored", "{monitoring: {serviceMonitor: {enabled: true}, prometheusRule: {enabled: true}}}",
		},
		"MonitoringAlone": {
			"nobody misses a receiver that is not installed", "operator-monitored",
			"{receiver: {enabled: false}, networkPolicy: {enabled: false}, monitoring: {serviceMonitor: {enabled: true}, prometheusRule: {enabled: true}}}",
		},
		"Certificate": {
			"cert-manager has to know host and issuer only", "certificate",
			"{certManager: {enabled: true, host: events.example.com, issuerRef: {name: letsencrypt}}}",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := withoutOrigin(t, kustomized(t, filepath.Join(config, c.overlay)))
			got := withoutOrigin(t, rendered(t, standard, c.values))
			t.Log(c.reason)
			checkSame(t, want, got)
		})
	}
}

// checkSame compares what kustomize made with what Helm did.
func checkSame(t *testing.T, want, got map[string]map[string]any) {
	t.Helper()
	for id := range want {
		if diff := cmp.Diff(want[id], got[id]); diff != "" {
			t.Errorf("%s differs (-kustomize +helm):\n%s", id, diff)
		}
	}
	for id := range got {
		if want[id] == nil {
			t.Errorf("%s is not in the overlay", id)
		}
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
// what stays and the chart's on what makes pods anew, and how the receiver's configuration
// is written.
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
		delete(podAnnotations(o), receiverURL)
		delete(podAnnotations(o), restartFor)
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

// Annotations of pods that follow settings which are read at the start only.
const (
	receiverURL = "concur.ess-operator.io/receiver-url"
	restartFor  = "concur.ess-operator.io/restart-for"
)

// podAnnotations are those of the pods of a Deployment; nil for other objects.
func podAnnotations(o map[string]any) map[string]any {
	for _, key := range []string{"spec", "template", "metadata", "annotations"} {
		o, _ = o[key].(map[string]any)
	}
	return o
}
