package resilience_test

import (
	"os"
	"strings"
	"testing"

	"github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

const (
	// definitions is what `kubectl delete -k config/crd` deletes.
	definitions = "../../config/crd"
	// manifests is everything in one file.
	manifests = "../../dist/install.yaml"
)

// waiting has kubectl be as patient as the tests.
var waiting = "--timeout=" + patience.String()

// kubectl runs kubectl as administrator.
func (w *world) kubectl(args ...string) string {
	w.t.Helper()
	out, err := w.plane.Kubectl(w.t.Context(), args...)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	return string(out)
}

// installed is a world of its own plane with two subscriptions that are ready.
func installed(t *testing.T) (*world, *process) {
	t.Helper()
	w := newWorld(t, ownPlane(t))
	manager := w.start()
	w.connect()
	w.subscribe("one")
	w.subscribe("two")
	w.settleUsage(2)
	w.ess.ResetRequests()
	return w, manager
}

// expectKept holds ESS to what it held before.
func (w *world) expectKept() {
	w.t.Helper()
	w.Expect(w.held()).To(gomega.Equal([]string{"one .*", "two .*"}))
	w.Expect(w.calls(essemulator.OpPut, essemulator.OpDelete)).To(gomega.BeEmpty())
}

func TestDefinitionsDeleted(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason  string
		offline bool // the manager does not run when the definitions are deleted
	}{
		"WhileTheManagerRuns": {
			reason: "deleting a definition deletes all objects, and nobody means by that to unsubscribe",
		},
		"WhileNoneRuns": {
			reason:  "finalizers hold the objects until a manager runs again, which must not unsubscribe either",
			offline: true,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, manager := installed(t)
			if tc.offline {
				manager.kill()
				w.kubectl("delete", "-k", definitions, "--wait=false")
				// Of this kind there are no objects, so it goes at once; the manager has to do without it.
				w.kubectl("wait", "--for=delete", "crd/applicationconnectors.concur.ess-operator.io", waiting)
				manager = w.start()
			} else {
				w.kubectl("delete", "-k", definitions, "--wait=false")
			}
			w.kubectl("wait", "--for=delete", "crd/eventsubscriptions.concur.ess-operator.io",
				"crd/concurconnections.concur.ess-operator.io", waiting)
			w.expectKept()
			if n := manager.tell("counter " + orphans); n != "0" {
				t.Errorf("%s subscriptions count as orphaned: %s", n, tc.reason)
			}
			w.installAgain()
		})
	}
}

// installAgain puts the definitions back; the manager that ran all the time
// takes what was kept into its care again.
func (w *world) installAgain() {
	w.t.Helper()
	w.kubectl("apply", "-k", definitions)
	w.kubectl("wait", "--for=condition=Established", "crd/eventsubscriptions.concur.ess-operator.io",
		"crd/concurconnections.concur.ess-operator.io", waiting)
	secret := w.secret()
	w.delete(secret)
	w.connect()
	w.subscribe("one")
	w.subscribe("two")
	w.expectKept()
	w.expectCallouts()
}

// expectCallouts waits until the manager takes care of an ApplicationConnector.
func (w *world) expectCallouts() {
	w.t.Helper()
	connector := &v1alpha1.ApplicationConnector{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "reports"},
		Spec:       v1alpha1.ApplicationConnectorSpec{CredentialsSecretRef: v1alpha1.BasicCredentialsRef{Name: "none"}},
	}
	w.create(connector)
	w.Eventually(func() *metav1.Condition {
		w.Expect(w.plane.client.Get(w.t.Context(), client.ObjectKeyFromObject(connector), connector)).To(gomega.Succeed())
		return meta.FindStatusCondition(connector.Status.Conditions, v1alpha1.ReadyCondition)
	}).ShouldNot(gomega.BeNil())
}

func TestManagerUninstalledAndInstalledAgain(t *testing.T) {
	t.Parallel()
	w, manager := installed(t)
	w.kubectl("apply", "-f", manifests)
	w.kubectl("apply", "-f", manifests) // as an upgrade does
	w.expectKept()
	manager.order("stop")
	w.Eventually(manager.exited).Should(gomega.BeClosed())
	if code := manager.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the manager ended with %d:\n%s", code, manager.logged())
	}
	file, err := os.ReadFile(manifests)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	rest := withoutDefinitions(string(file))
	_, err = w.plane.KubectlInput(t.Context(), strings.NewReader(rest), "delete", "-f", "-", waiting)
	w.Expect(err).NotTo(gomega.HaveOccurred())

	var left v1alpha1.EventSubscriptionList
	w.Expect(w.plane.client.List(t.Context(), &left, client.InNamespace(w.namespace))).To(gomega.Succeed())
	w.Expect(left.Items).To(gomega.HaveLen(2))
	for i := range left.Items {
		if !left.Items[i].DeletionTimestamp.IsZero() {
			t.Errorf("%s is being deleted, and nobody is there to let it go", left.Items[i].Name)
		}
	}
	w.expectKept()
	w.start()
	w.Eventually(func() int { return w.count(essemulator.OpList) }).Should(gomega.BeNumerically(">", 0))
	for i := range left.Items {
		w.request(&left.Items[i], "after the installation")
		w.eventuallySubscribed(&left.Items[i])
	}
	w.expectKept()
}

// TestAllTakenAway follows docs/install.md: the definitions first, while the manager runs, and then the rest.
func TestAllTakenAway(t *testing.T) {
	t.Parallel()
	w, manager := installed(t)
	w.kubectl("apply", "-f", manifests)
	w.kubectl("delete", "crd", "eventsubscriptions.concur.ess-operator.io", "concurconnections.concur.ess-operator.io",
		"applicationconnectors.concur.ess-operator.io", waiting)
	manager.order("stop")
	w.Eventually(manager.exited).Should(gomega.BeClosed())
	w.kubectl("delete", "-f", manifests, "--ignore-not-found", waiting)
	w.expectKept()
	left := w.kubectl("get", "namespaces,clusterroles,clusterrolebindings,crd", "-A", "-o", "name")
	if strings.Contains(left, "ess-operator") {
		t.Errorf("something of the operator is left:\n%s", left)
	}
}

// withoutDefinitions leaves the definitions out of a stream of manifests.
func withoutDefinitions(manifests string) string {
	var kept []string
	for manifest := range strings.SplitSeq(manifests, "\n---\n") {
		if !strings.Contains(manifest, "kind: CustomResourceDefinition\n") {
			kept = append(kept, manifest)
		}
	}
	return strings.Join(kept, "\n---\n")
}
