package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/loader"
	"helm.sh/helm/v4/pkg/kube"
	release "helm.sh/helm/v4/pkg/release/v1"
	"sigs.k8s.io/yaml"
)

// root is the repository, from the directory of the tests.
const root = "../.."

// where is a release: its name, and its namespace.
type where struct{ name, namespace string }

// standard is the release whose objects are called as those of config/default.
var standard = where{name: "ess-operator", namespace: "ess-operator-system"}

// helm renders the chart as "helm template" does, with values in YAML.
func helm(w where, values string) (*release.Release, error) {
	ch, err := loader.Load(root + "/" + chartDir)
	if err != nil {
		return nil, err
	}
	given := map[string]any{}
	if err := yaml.Unmarshal([]byte(values), &given); err != nil {
		return nil, fmt.Errorf("reading values: %w", err)
	}
	install := action.NewInstall(&action.Configuration{})
	install.ReleaseName, install.Namespace = w.name, w.namespace
	install.DryRunStrategy = action.DryRunClient
	install.WaitStrategy = kube.HookOnlyStrategy
	install.KubeVersion = &common.KubeVersion{Version: "v1.36.3", Major: "1", Minor: "36"}
	rendered, err := install.Run(ch, given)
	if err != nil {
		return nil, err
	}
	r, ok := rendered.(*release.Release)
	if !ok {
		return nil, fmt.Errorf("rendering gave a %T", rendered)
	}
	return r, nil
}

// rendered is helm for values that must be good; it returns the objects by Kind/name.
func rendered(t *testing.T, w where, values string) map[string]map[string]any {
	t.Helper()
	r, err := helm(w, values)
	if err != nil {
		t.Fatalf("rendering with %s: %v", values, err)
	}
	return byName(t, r.Manifest)
}

// byName returns the objects in manifests by Kind/name, and fails when two have one name.
func byName(t *testing.T, manifests string) map[string]map[string]any {
	t.Helper()
	objects := map[string]map[string]any{}
	for text := range strings.SplitSeq("\n"+manifests, "\n---\n") {
		var o map[string]any
		if err := yaml.UnmarshalStrict([]byte(text), &o); err != nil {
			t.Fatalf("reading a manifest: %v\n%s", err, text)
		}
		if o == nil {
			continue
		}
		metadata, _ := o["metadata"].(map[string]any)
		id := fmt.Sprintf("%s/%s", o["kind"], metadata["name"])
		if strings.HasPrefix(id, "Role") && strings.HasSuffix(id, "-manager") {
			id += fmt.Sprintf(" in %s", metadata["namespace"]) // one in each namespace that is watched
		}
		if _, ok := objects[id]; ok {
			t.Fatalf("%s is there twice", id)
		}
		objects[id] = o
	}
	if len(objects) == 0 {
		t.Fatal("there are no objects")
	}
	return objects
}

// at returns what words lead to, as walk has them, as JSON; "" when there is nothing.
func at(t *testing.T, o map[string]any, field string) string {
	t.Helper()
	value, err := walk(nodeOf(t, o), strings.Fields(field))
	if err != nil {
		return ""
	}
	content, err := toJSON(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// asJSON is a value as at shows it.
func asJSON(t *testing.T, value any) string {
	t.Helper()
	content, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
