package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/action"
)

// everything turns on what is off by default.
const everything = `
manager:
  replicas: 2
  allowedHosts: [emulator.test.svc]
  crossNamespaceSinks: true
  knativeSinks: true
  logging: {level: debug, format: text}
  extraArgs: [--max-concurrent-reconciles=8]
  extraEnv: [{name: HTTPS_PROXY, value: "http://proxy.example.com:3128"}]
  image: {pullSecrets: [{name: mirror}], digest: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}
  tolerations: [{key: dedicated, operator: Exists}]
  affinity: {nodeAffinity: {}}
  priorityClassName: system-cluster-critical
  podAnnotations: {example.com/a: b}
  podLabels: {example.com/a: b}
receiver:
  publicURL: https://events.example.com
  config:
    proof: {require: all, signature: {publicKeyFiles: [/etc/receiver/proof/concur.pem]}, clientCertificate: {}}
    journal: {bbolt: {maxSize: 16Gi}}
  persistence: {size: 20Gi, storageClass: fast, accessModes: [ReadWriteOncePod]}
  service: {type: LoadBalancer, annotations: {example.com/lb: internal}}
  ingress: {enabled: true, className: nginx, annotations: {nginx.ingress.kubernetes.io/ssl-passthrough: "true"}}
  logging: {level: debug, format: text}
  extraEnv: [{name: OTEL_EXPORTER_OTLP_ENDPOINT, value: "http://collector:4318"}]
  tolerations: [{key: dedicated, operator: Exists}]
  affinity: {podAntiAffinity: {}}
  priorityClassName: system-cluster-critical
  podAnnotations: {example.com/a: b}
  podLabels: {example.com/a: b}
certManager: {enabled: true, issuerRef: {name: letsencrypt}}
networkPolicy: {managerEgress: [{ports: [{port: 3128, protocol: TCP}]}], metricsFrom: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]}
monitoring:
  serviceMonitor: {enabled: true, labels: {release: prometheus}, interval: 1m, managerTokenSecret: scraper}
  prometheusRule: {enabled: true, labels: {release: prometheus}}
`

func TestRendersTheSameEachTime(t *testing.T) {
	t.Parallel()
	for _, values := range []string{"{}", everything} {
		first, err := helm(standard, values)
		if err != nil {
			t.Fatal(err)
		}
		second, err := helm(standard, values)
		if err != nil {
			t.Fatal(err)
		}
		if first.Manifest != second.Manifest {
			t.Error("two renderings of one release differ, so Argo CD would never be done")
		}
		if len(first.Hooks) > 0 {
			t.Errorf("there are %d hooks, which helm template | kubectl apply would leave behind", len(first.Hooks))
		}
	}
}

// unstable are functions of templates whose result is another one each time, or
// depends on a cluster that helm template does not see.
var unstable = regexp.MustCompile(`\b(lookup|now|date\w*|rand\w+|uuidv4|gen[A-Z]\w+|derivePassword|bcrypt|htpasswd|getHostByName|env|expandenv)\b`)

func TestTemplatesAskNobody(t *testing.T) {
	t.Parallel()
	action := regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	files, actions := 0, 0
	err := filepath.WalkDir(filepath.Join(root, chartDir, "templates"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		files++
		for _, a := range action.FindAllString(string(content), -1) {
			actions++
			if found := unstable.FindString(a); found != "" && !strings.HasPrefix(a, "{{/*") && !strings.HasPrefix(a, "{{- /*") {
				t.Errorf("%s: %s uses %s", path, a, found)
			}
		}
		return err
	})
	if err != nil || files < 30 || actions < 100 {
		t.Errorf("looking through %d files with %d actions: %v", files, actions, err)
	}
}

// TestReleasesDoNotMeet installs two releases beside each other: no object of one is the
// other's, but for the definitions, and no selector finds the other's pods.
func TestReleasesDoNotMeet(t *testing.T) {
	t.Parallel()
	const second = "{crds: {install: false}}"
	for name, c := range map[string]struct {
		reason      string
		first, next where
	}{
		"OneNamespace":  {"names tell them apart", standard, where{"second", standard.namespace}},
		"OneName":       {"the namespace tells them apart, in ClusterRoles too", standard, where{standard.name, "second"}},
		"NeitherIsOurs": {"none is called as the manifests are", where{"a", "one"}, where{"a", "two"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one, two := rendered(t, c.first, "{}"), rendered(t, c.next, second)
			for id, o := range two {
				if other := one[id]; other != nil && at(t, o, "metadata namespace") == at(t, other, "metadata namespace") {
					t.Errorf("%s: both releases have %s", c.reason, id)
				}
				if c.next.namespace != standard.namespace && strings.Contains(asJSON(t, o), standard.namespace) {
					t.Errorf("%s: %s names another namespace: %s", c.reason, id, asJSON(t, o))
				}
			}
			if c.first.namespace == c.next.namespace { // selectors end at the namespace
				checkSelectors(t, two, at(t, one[managerObject], "spec template metadata labels app.kubernetes.io/name"))
			}
		})
	}
}

// checkSelectors finds objects that select pods with the label of another release.
func checkSelectors(t *testing.T, objects map[string]map[string]any, others string) {
	t.Helper()
	for id, o := range objects {
		for _, field := range []string{"spec selector", "spec selector matchLabels", "spec podSelector matchLabels"} {
			if selector := at(t, o, field+" app.kubernetes.io/name"); selector != "" && selector == others {
				t.Errorf("%s selects pods of both releases", id)
			}
		}
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason, values string
		release        where
		says, not      []string
	}{
		"Default": {
			reason: "what is left to do, in commands that fit this release", release: standard, values: "{}",
			says: []string{"deployment/ess-operator-receiver", "--set receiver.publicURL=", "create secret tls -n ess-operator-system ess-operator-receiver-tls", "kind: ConcurConnection", "endpoint: {receiver: {}}"},
			not:  []string{"helm uninstall\", which takes"},
		},
		"OtherRelease": {
			reason: "names and namespace are those of the release", release: where{"prod", "concur"},
			values: "{receiver: {publicURL: 'https://events.example.com', tls: {secretName: mine}}}",
			says:   []string{"-n concur deployment/prod-ess-operator-manager", "create secret tls -n concur mine"},
			not:    []string{"--set receiver.publicURL", standard.namespace},
		},
		"NoReceiver": {
			reason: "who has no receiver is told nothing of it", release: standard, values: "{receiver: {enabled: false}, manager: {watchNamespaces: [travel]}}",
			says: []string{"-n travel acme-us", "endpoint: {url:", "metrics are off"}, not: []string{"-receiver", "create namespace", "finance"},
		},
		"DefinitionsGo": {
			reason: "what an uninstall would do is said before", release: standard, values: "{crds: {keep: false}}",
			says: []string{"which takes the definitions away"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := helm(c.release, c.values)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range c.says {
				if !strings.Contains(r.Info.Notes, text) {
					t.Errorf("%s: the notes do not say %q:\n%s", c.reason, text, r.Info.Notes)
				}
			}
			for _, text := range c.not {
				if strings.Contains(r.Info.Notes, text) {
					t.Errorf("%s: the notes say %q:\n%s", c.reason, text, r.Info.Notes)
				}
			}
		})
	}
}

func TestLint(t *testing.T) {
	t.Parallel()
	lint := action.NewLint()
	lint.Strict = true
	result := lint.Run([]string{filepath.Join(root, chartDir)}, nil)
	for _, err := range result.Errors {
		t.Error(err)
	}
	if result.TotalChartsLinted != 1 {
		t.Errorf("%d charts were looked at", result.TotalChartsLinted)
	}
}

// TestLintTellsFaults is for those who lint their values: there Helm goes on where it fails elsewhere.
func TestLintTellsFaults(t *testing.T) {
	t.Parallel()
	values := map[string]any{"receiver": map[string]any{"publicURL": "events.example.com"}}
	for _, err := range action.NewLint().Run([]string{filepath.Join(root, chartDir)}, values).Errors {
		if strings.Contains(err.Error(), "it must be https:// and the host") {
			return
		}
	}
	t.Error("helm lint takes a URL that is none")
}

// TestNothingInTheCluster is for those who have rights in some namespaces only.
func TestNothingInTheCluster(t *testing.T) {
	t.Parallel()
	objects := rendered(t, standard, "{rbac: {userRoles: false}, metrics: {enabled: false}, crds: {install: false}, manager: {watchNamespaces: [finance]}}")
	for id, o := range objects {
		if at(t, o, "metadata namespace") == "" {
			t.Errorf("%s belongs to the cluster", id)
		}
	}
}
