package api_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/ess-operator/ess-operator/test/controlplane"
)

// evolving is a control plane in which the definition of EventSubscriptions goes the way of
// docs/decisions/0017-api-evolution.md.
type evolving struct {
	t     *testing.T
	plane *controlplane.ControlPlane
	crd   apiextensionsv1.CustomResourceDefinition
}

func newEvolving(t *testing.T) *evolving {
	t.Helper()
	plane, err := controlplane.Start(t.Context(), controlplane.Options{CRDDirs: []string{"config/crd/bases"}, WithoutControllers: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	e := &evolving{t: t, plane: plane}
	text, err := os.ReadFile(filepath.Join("../../config/crd/bases", "concur.ess-operator.io_eventsubscriptions.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, &e.crd); err != nil {
		t.Fatal(err)
	}
	return e
}

// apply applies the definition with v1alpha1 and v1beta1 of the same schema, changed by a step.
func (e *evolving) apply(step func(alpha, beta *apiextensionsv1.CustomResourceDefinitionVersion)) error {
	e.t.Helper()
	alpha := e.crd.Spec.Versions[0].DeepCopy()
	beta := alpha.DeepCopy()
	beta.Name = "v1beta1"
	step(alpha, beta)
	next := e.crd.DeepCopy()
	next.Spec.Versions = []apiextensionsv1.CustomResourceDefinitionVersion{*beta}
	if alpha.Name != "" {
		next.Spec.Versions = append(next.Spec.Versions, *alpha)
	}
	text, err := yaml.Marshal(next)
	if err != nil {
		e.t.Fatal(err)
	}
	_, err = e.plane.KubectlInput(e.t.Context(), bytes.NewReader(text), "apply", "--server-side", "--force-conflicts", "-f", "-")
	return err
}

func (e *evolving) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

func (e *evolving) kubectl(args ...string) string {
	e.t.Helper()
	out, err := e.plane.Kubectl(e.t.Context(), args...)
	e.must(err)
	return strings.TrimSpace(string(out))
}

// read reads the object as a version of the API, once it is served, which is a little after the definition has it. The
// rest of it has to be the same always.
func (e *evolving) read(version string) map[string]any {
	e.t.Helper()
	var text []byte
	gomega.NewWithT(e.t).Eventually(func() (err error) {
		text, err = e.plane.Kubectl(e.t.Context(), "get", "eventsubscriptions."+version+".concur.ess-operator.io", "reports", "-o", "json")
		return err
	}, patience, 50*time.Millisecond).Should(gomega.Succeed())
	var o unstructured.Unstructured
	e.must(o.UnmarshalJSON(text))
	if got := o.GetAPIVersion(); got != "concur.ess-operator.io/"+version {
		e.t.Errorf("read as %s, want %s", got, version)
	}
	return map[string]any{"spec": o.Object["spec"], "status": o.Object["status"], "finalizers": o.GetFinalizers(), "generation": o.GetGeneration(), "uid": o.GetUID()}
}

func (e *evolving) expectStored(want string) {
	e.t.Helper()
	if got := e.kubectl("get", "crd", e.crd.Name, "-o", "jsonpath={.status.storedVersions}"); got != want {
		e.t.Errorf("versions that objects may be stored as are %s, want %s", got, want)
	}
}

const evolvingObject = `
apiVersion: concur.ess-operator.io/v1alpha1
kind: EventSubscription
metadata: {name: reports, finalizers: [concur.ess-operator.io/finalizer]}
spec:
  connectionRef: {name: acme-us}
  topic: public.concur.expense.report
  endpoint: {receiver: {}}
  sink: {ref: {apiVersion: v1, kind: Service, name: bot}}
`

// TestObjectsOutlastTheirVersion goes from v1alpha1 to v1beta1 without a conversion webhook, step by step.
func TestObjectsOutlastTheirVersion(t *testing.T) {
	t.Parallel()
	e := newEvolving(t)
	_, err := e.plane.KubectlInput(t.Context(), strings.NewReader(evolvingObject), "apply", "-f", "-")
	e.must(err)
	e.kubectl("patch", "esub", "reports", "--subresource=status", "--type=merge", "-p", `{"status":{"observedGeneration":1,"subscriptionID":"default.reports"}}`)
	before := e.read("v1alpha1")
	same := func(version string) {
		t.Helper()
		if diff := cmp.Diff(before, e.read(version)); diff != "" {
			t.Errorf("the object changed (-before +as %s):\n%s", version, diff)
		}
	}

	e.must(e.apply(func(_, beta *apiextensionsv1.CustomResourceDefinitionVersion) { beta.Storage = false }))
	same("v1beta1")
	e.must(e.apply(func(alpha, _ *apiextensionsv1.CustomResourceDefinitionVersion) {
		alpha.Storage, alpha.Deprecated = false, true
	}))
	e.expectStored(`["v1alpha1","v1beta1"]`)
	same("v1alpha1")
	same("v1beta1")

	gone := func(alpha, _ *apiextensionsv1.CustomResourceDefinitionVersion) { alpha.Name = "" }
	if err := e.apply(gone); err == nil || !strings.Contains(err.Error(), "storedVersions") {
		t.Fatalf("dropping a version that objects are stored as: %v, want a refusal", err)
	}
	all := e.kubectl("get", "eventsubscriptions.v1beta1.concur.ess-operator.io", "-A", "-o", "json")
	_, err = e.plane.KubectlInput(t.Context(), strings.NewReader(all), "replace", "-f", "-")
	e.must(err)
	e.kubectl("patch", "crd", e.crd.Name, "--subresource=status", "--type=merge", "-p", `{"status":{"storedVersions":["v1beta1"]}}`)
	e.must(e.apply(gone))
	e.expectStored(`["v1beta1"]`)
	same("v1beta1")
}
