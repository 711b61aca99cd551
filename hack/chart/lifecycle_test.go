package main

import (
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/loader"
	"helm.sh/helm/v4/pkg/kube"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

// lifecycle is what people do with a release, by whichever Helm.
type lifecycle struct {
	install, upgrade func(values map[string]any) error
	force            func(values map[string]any) error // upgrade --force; Helm 3 only
	rollback         func(to int) error
	uninstall        func() error
}

// TestLifecycle installs the chart into a cluster, by one Helm after the other, each
// going on with what the one before left there when it was uninstalled.
//
//nolint:paralleltest // it makes the definitions, which others would find half made
func TestLifecycle(t *testing.T) {
	release := where{"ess-operator", "lifecycle"}
	kubectl(t, "", "create", "namespace", release.namespace)
	for _, c := range []struct {
		name string
		does lifecycle
	}{{"Helm 4", helm4(t, release)}, {"Helm 3", helm3(t, release)}} {
		t.Log(c.name)
		testLifecycle(t, release, c.does)
	}
}

func testLifecycle(t *testing.T, release where, helm lifecycle) {
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	get := func(args ...string) string {
		t.Helper()
		return kubectl(t, "", append([]string{"get", "-n", release.namespace}, args...)...)
	}
	const object = `{apiVersion: concur.ess-operator.io/v1alpha1, kind: ConcurConnection, metadata: {name: acme-us, namespace: lifecycle},
  spec: {baseURL: 'https://us2.api.concursolutions.com', credentialsSecretRef: {name: acme-us}}}`

	must("installing", helm.install(map[string]any{}))
	served(t)
	kubectl(t, object, "apply", "-f", "-")
	for _, secret := range []string{"routes", "admin"} { // as the manager does
		kubectl(t, "", "patch", "secret", "-n", release.namespace, "ess-operator-receiver-"+secret, "--type=merge", "-p", `{"data":{"written":"e30="}}`)
	}

	must("upgrading", helm.upgrade(map[string]any{"manager": map[string]any{"replicas": 2}}))
	if got := get("deployment", "ess-operator-manager", "-o", "jsonpath={.spec.replicas}"); got != "2" {
		t.Errorf("after the upgrade there are %s replicas", got)
	}
	must("rolling back", helm.rollback(1))
	if got := get("deployment", "ess-operator-manager", "-o", "jsonpath={.spec.replicas}"); got != "1" {
		t.Errorf("after the rollback there are %s replicas", got)
	}
	if got := strings.Count(get("secret", "-o", "jsonpath={.items[*].data}"), `"written":"e30="`); got != 2 {
		t.Errorf("upgrade and rollback left %d of the manager's two Secrets as they were", got)
	}

	must("uninstalling", helm.uninstall())
	if left := get("deployment,service,secret,role,networkpolicy", "-o", "name", "--selector", "app.kubernetes.io/part-of=ess-operator"); left != "" {
		t.Errorf("uninstalling left\n%s", left)
	}
	if got := get("pvc,concurconnections", "-o", "jsonpath={.items[*].metadata.name}"); got != "ess-operator-receiver acme-us" {
		t.Errorf("uninstalling left %q, want the volume of the journal and the user's object", got)
	}
	if got := get("concurconnection", "acme-us", "-o", "jsonpath={.metadata.deletionTimestamp}"); got != "" {
		t.Errorf("uninstalling deletes the user's object, and so perhaps subscriptions at SAP Concur")
	}
}

// getter reaches the cluster as Helm wants it.
func getter(release where) *genericclioptions.ConfigFlags {
	flags := genericclioptions.NewConfigFlags(false)
	flags.KubeConfig, flags.Namespace = &plane.Kubeconfig, &release.namespace
	return flags
}

// helmTimeout is for what takes a second on an idle machine.
const helmTimeout = 2 * time.Minute

// helm4 is Helm 4, which applies on the server.
func helm4(t *testing.T, release where) lifecycle {
	t.Helper()
	config := action.NewConfiguration()
	if err := config.Init(getter(release), release.namespace, "secret"); err != nil {
		t.Fatal(err)
	}
	ch, err := loader.Load(root + "/" + chartDir)
	if err != nil {
		t.Fatal(err)
	}
	return lifecycle{
		install: func(values map[string]any) error {
			a := action.NewInstall(config)
			a.ReleaseName, a.Namespace, a.WaitStrategy, a.Timeout = release.name, release.namespace, kube.HookOnlyStrategy, helmTimeout
			_, err := a.Run(ch, values)
			return err
		},
		upgrade: func(values map[string]any) error {
			a := action.NewUpgrade(config)
			a.Namespace, a.WaitStrategy, a.Timeout, a.ServerSideApply = release.namespace, kube.HookOnlyStrategy, helmTimeout, "auto"
			_, err := a.Run(release.name, ch, values)
			return err
		},
		rollback: func(to int) error {
			a := action.NewRollback(config)
			a.Version, a.WaitStrategy, a.Timeout, a.ServerSideApply = to, kube.HookOnlyStrategy, helmTimeout, "auto"
			return a.Run(release.name)
		},
		uninstall: func() error {
			a := action.NewUninstall(config)
			a.WaitStrategy, a.Timeout = kube.HookOnlyStrategy, helmTimeout
			_, err := a.Run(release.name)
			return err
		},
	}
}
