package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"sigs.k8s.io/yaml"
)

// TestHelm3RendersTheSame holds Helm 3, which most still have, against Helm 4.
func TestHelm3RendersTheSame(t *testing.T) {
	t.Parallel()
	for _, values := range []string{"{}", everything} {
		ch, err := loader.Load(root + "/" + chartDir)
		if err != nil {
			t.Fatal(err)
		}
		given := map[string]any{}
		if err := yaml.Unmarshal([]byte(values), &given); err != nil {
			t.Fatal(err)
		}
		install := action.NewInstall(&action.Configuration{})
		install.ReleaseName, install.Namespace = standard.name, standard.namespace
		install.ClientOnly, install.DryRun = true, true
		install.KubeVersion = &chartutil.KubeVersion{Version: "v1.36.3", Major: "1", Minor: "36"}
		three, err := install.Run(ch, given)
		if err != nil {
			t.Fatal(err)
		}
		four := rendered(t, standard, values)
		threes := byName(t, three.Manifest)
		if len(threes) != len(four) {
			t.Errorf("Helm 3 renders %d objects, and Helm 4 %d", len(threes), len(four))
		}
		for id, o := range threes {
			if diff := cmp.Diff(o, four[id]); diff != "" {
				t.Errorf("Helm 3 and Helm 4 render %s differently (-3 +4):\n%s", id, diff)
			}
		}
		given["manger"] = true
		if _, err := install.Run(ch, given); err == nil {
			t.Error("Helm 3 takes a value that there is none of")
		}
	}
}
