package main

import (
	"strings"
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
		three, err := render3(values)
		if err != nil {
			t.Fatal(err)
		}
		four := rendered(t, standard, values)
		threes := byName(t, three)
		if len(threes) != len(four) {
			t.Errorf("Helm 3 renders %d objects, and Helm 4 %d", len(threes), len(four))
		}
		for id, o := range threes {
			if diff := cmp.Diff(o, four[id]); diff != "" {
				t.Errorf("Helm 3 and Helm 4 render %s differently (-3 +4):\n%s", id, diff)
			}
		}
	}
	if _, err := render3("{manger: true}"); err == nil {
		t.Error("Helm 3 takes a value that there is none of")
	}
}

// render3 renders the standard release with Helm 3.
func render3(values string) (string, error) {
	ch, err := loader.Load(root + "/" + chartDir)
	if err != nil {
		return "", err
	}
	given := map[string]any{}
	if err := yaml.Unmarshal([]byte(values), &given); err != nil {
		return "", err
	}
	install := action.NewInstall(&action.Configuration{})
	install.ReleaseName, install.Namespace = standard.name, standard.namespace
	install.ClientOnly, install.DryRun = true, true
	install.KubeVersion = &chartutil.KubeVersion{Version: "v1.36.3", Major: "1", Minor: "36"}
	release, err := install.Run(ch, given)
	if err != nil {
		return "", err
	}
	return release.Manifest, nil
}

// helm3 is Helm 3, which compares three versions of an object before it patches it.
func helm3(t *testing.T, release where) lifecycle {
	t.Helper()
	config := new(action.Configuration)
	if err := config.Init(getter(release), release.namespace, "secret", t.Logf); err != nil {
		t.Fatal(err)
	}
	ch, err := loader.Load(root + "/" + chartDir)
	if err != nil {
		t.Fatal(err)
	}
	upgrade := func(values map[string]any, force bool) error {
		a := action.NewUpgrade(config)
		a.Namespace, a.Force = release.namespace, force
		_, err := a.Run(release.name, ch, values)
		return err
	}
	return lifecycle{
		install: func(values map[string]any) error {
			a := action.NewInstall(config)
			a.ReleaseName, a.Namespace = release.name, release.namespace
			_, err := a.Run(ch, values)
			return err
		},
		upgrade: func(values map[string]any) error { return upgrade(values, false) },
		force:   func(values map[string]any) error { return upgrade(values, true) },
		rollback: func(to int) error {
			a := action.NewRollback(config)
			a.Version = to
			return a.Run(release.name)
		},
		uninstall: func() error {
			_, err := action.NewUninstall(config).Run(release.name)
			return err
		},
	}
}

// TestForceOfHelm3 is what docs/install.md says of "helm upgrade --force": it empties the
// Secrets that the manager fills, and stops at a volume that is in use.
func TestForceOfHelm3(t *testing.T) {
	t.Parallel()
	release := where{"ess-operator", "forced"}
	kubectl(t, "", "create", "namespace", release.namespace)
	does := helm3(t, release)
	values := map[string]any{"crds": map[string]any{"install": false}} // which one release of a cluster has
	if err := does.install(values); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"routes", "admin"} { // as the manager does
		kubectl(t, "", "patch", "secret", "-n", release.namespace, "ess-operator-receiver-"+secret, "--type=merge", "-p", `{"data":{"written":"e30="}}`)
	}
	kubectl(t, "", "patch", "pvc", "-n", release.namespace, "ess-operator-receiver", "--type=merge", "-p", `{"spec":{"volumeName":"a-volume"}}`)
	if err := does.force(values); err == nil || !strings.Contains(err.Error(), `PersistentVolumeClaim "ess-operator-receiver"`) {
		t.Errorf("upgrading with --force: %v, want a claim that cannot be replaced", err)
	}
	if got := kubectl(t, "", "get", "secret", "-n", release.namespace, "--field-selector=type=Opaque", "-o", "jsonpath={.items[*].data}"); got != "" {
		t.Errorf("the manager's Secrets hold %s", got)
	}
	if err := does.upgrade(values); err != nil {
		t.Errorf("upgrading without --force afterwards: %v", err)
	}
}
