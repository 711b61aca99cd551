// Package argocd_test runs what Argo CD is to know of our kinds in Argo CD's own
// Lua machine, out of its Go module: twice, as Argo CD runs what it ships, and as
// it runs what an administrator puts into argocd-cm, which has no string library.
//
// The objects are real: suites of the operator wrote them (test/samples).
package argocd_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/lua"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// update writes the expectations instead of comparing with them: then read the difference.
var update = flag.Bool("update", false, "write health_test.yaml instead of comparing with it")

const (
	group = "concur.ess-operator.io"
	root  = "resource_customizations/" + group
)

// kinds are ours, and the actions that each offers.
var kinds = map[string][]string{
	"ConcurConnection":     {"reconcile", "resume", "suspend"},
	"EventSubscription":    {"reconcile", "resume", "suspend"},
	"ApplicationConnector": {"reconcile"},
}

// read reads a file below the customizations of our group.
func read(t *testing.T, elements ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{root}, elements...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}

// sample reads an object of a kind, with numbers as those of an API server are.
func sample(t *testing.T, kind, path string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	text, err := yaml.YAMLToJSONStrict([]byte(read(t, kind, path)))
	if err == nil {
		err = object.UnmarshalJSON(text)
	}
	if err != nil {
		t.Fatal(err)
	}
	if object.GetKind() != kind || object.GroupVersionKind().Group != group {
		t.Fatalf("%s/%s is a %s", kind, path, object.GroupVersionKind())
	}
	return object
}

// samples are the paths of all objects of a kind, as test cases name them.
func samples(t *testing.T, kind string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, kind, "testdata", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatalf("there is no sample of a %s", kind)
	}
	for i := range found {
		found[i] = filepath.Join("testdata", filepath.Base(found[i]))
	}
	return found
}

// machines are the two ways in which Argo CD runs a script: with Lua's libraries those that it
// ships, without them those of argocd-cm, which are read from the fragment for users.
func machines(t *testing.T) map[string]lua.VM {
	t.Helper()
	builtIn, fromMap := map[string]v1alpha1.ResourceOverride{}, fragment(t)
	for kind := range kinds {
		override := fromMap[group+"/"+kind]
		override.HealthLua = read(t, kind, "health.lua")
		builtIn[group+"/"+kind] = override
	}
	return map[string]lua.VM{
		"built-in":  {ResourceOverrides: builtIn, UseOpenLibs: true},
		"argocd-cm": {ResourceOverrides: fromMap},
	}
}

// fragment reads argocd-cm.yaml as Argo CD's settings do.
func fragment(t *testing.T) map[string]v1alpha1.ResourceOverride {
	t.Helper()
	text, err := os.ReadFile("argocd-cm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var config corev1.ConfigMap
	decode(t, string(text), &config)
	if config.Name != "argocd-cm" || len(config.Data) != 2*len(kinds) {
		t.Fatalf("the fragment is of ConfigMap %q and has %d keys", config.Name, len(config.Data))
	}
	overrides := map[string]v1alpha1.ResourceOverride{}
	for kind := range kinds {
		overrides[group+"/"+kind] = v1alpha1.ResourceOverride{
			HealthLua: config.Data["resource.customizations.health."+group+"_"+kind],
			Actions:   config.Data["resource.customizations.actions."+group+"_"+kind],
		}
	}
	return overrides
}

func write(t *testing.T, content any, elements ...string) {
	t.Helper()
	text, err := yaml.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(append([]string{root}, elements...)...), text, 0o600); err != nil {
		t.Fatal(err)
	}
}
