package privileges_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/test/privileges/audit"
)

// someNamespaces is an overlay as docs/install-namespaced.md has it, in which the Role of travel is forgotten.
func someNamespaces(more string) map[string]string {
	return map[string]string{
		"kustomization.yaml": `
resources: ["{config}/namespaced", finance, extra.yaml]
` + more + `
patches:
- target: {kind: ConfigMap, name: ess-operator-namespaces}
  patch: |
    - {op: replace, path: /data/watch, value: "finance,travel"}
`,
		"finance/kustomization.yaml": watched(finance)["kustomization.yaml"],
		"extra.yaml":                 extraRole,
	}
}

// watched is the overlay of one namespace that is watched.
func watched(namespace string) map[string]string {
	return map[string]string{"kustomization.yaml": "namespace: " + namespace + "\nresources: [\"{config}/namespaced/watched\"]\n"}
}

func TestNamespacedIsMinimal(t *testing.T) {
	t.Parallel()
	w := newWorld(newCluster(t, someNamespaces("")))
	for _, g := range w.bound().Grants(systemNamespace, managerAccount) {
		if g.Namespace != systemNamespace && g.Namespace != finance {
			t.Errorf("the manager may %s", g)
		}
	}
	first := w.start()
	first.eventuallyLogs("this namespace is left out until the manager may read there")
	conn, secret := w.connect(finance, &v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesFromAll})
	trips := w.subscription(travel, "trips")
	w.work(conn, secret)
	w.Expect(w.read(trips)).To(gomega.Succeed())
	if len(trips.Status.Conditions) > 0 {
		t.Errorf("the manager has no Role in travel, and wrote%s", explain(trips))
	}

	w.apply(someNamespaces(`components: ["{config}/namespaced/cluster-reads", "{config}/namespaced/namespace-deletion"]`))
	w.apply(watched(travel))
	w.Eventually(first.exited).Should(gomega.BeClosed())
	if code := first.cmd.ProcessState.ExitCode(); code != 0 || !strings.Contains(first.logged(), "starting again with it") {
		t.Errorf("with one namespace more the manager ended with %d", code)
	}
	second := w.start(listing)
	w.eventuallyReady(trips, metav1.ConditionTrue, v1alpha1.SubscribedReason)
	w.scraped(second)
	w.leave(conn)
	second.stop()

	definition := "get customresourcedefinitions.apiextensions.k8s.io eventsubscriptions.concur.ess-operator.io"
	w.expectMinimal(audit.Findings{Unused: []string{extra}, Refused: []string{
		"create events.events.k8s.io in watched", // while a namespace ends, and the manager may not read that it does
		definition,                               // before there was a ClusterRole
	}})
	w.expectHarmless()
}

func TestNamespacedWithoutRolesSaysSo(t *testing.T) {
	t.Parallel()
	c := newCluster(t, map[string]string{"kustomization.yaml": `resources: ["{config}/namespaced"]`})
	unnamed := c.start()
	c.Eventually(unnamed.exited).Should(gomega.BeClosed())
	if code := unnamed.cmd.ProcessState.ExitCode(); code != 2 || !strings.Contains(unnamed.logged(), "names no namespace: name some") {
		t.Errorf("as the manifests are, the manager ended with %d, want 2 and advice:\n%s", code, unnamed.logged())
	}
	c.kubectl("patch", "configmap", "ess-operator-namespaces", "-n", systemNamespace, "--type=merge", "-p", `{"data":{"watch":"finance"}}`)
	without := c.start()
	c.Eventually(without.exited).Should(gomega.BeClosed())
	for _, want := range []string{
		"may read in none of the namespaces of --watch-namespaces (finance): apply the Role and the RoleBinding of config/namespaced/watched to each",
		"list eventsubscriptions, patch eventsubscriptions", "namespace=finance",
	} {
		if !strings.Contains(without.logged(), want) {
			t.Errorf("the manager does not say %q:\n%s", want, without.logged())
		}
	}
	if code := without.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("without a single Role the manager ended with %d, want 1", code)
	}
}

// folded makes one namespace of those that are watched: their Roles are copies of one, so
// that a verb that is used in one of them is used.
func folded(grants []audit.Grant, requests []audit.Request) ([]audit.Grant, []audit.Request) {
	grants, requests = slices.Clone(grants), slices.Clone(requests)
	for i := range grants {
		if g := &grants[i]; g.Namespace == finance || g.Namespace == travel {
			g.Role = strings.Replace(g.Role, g.Namespace, "watched", 1)
			g.Namespace = "watched"
		}
	}
	for i := range requests {
		if r := &requests[i]; r.Namespace == finance || r.Namespace == travel {
			r.Namespace = "watched"
		}
	}
	return slices.Compact(grants), requests
}
