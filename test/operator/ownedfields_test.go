package operator_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// applied is one object of each kind, as somebody keeps them in git.
const applied = `apiVersion: concur.ess-operator.io/v1alpha1
kind: ConcurConnection
metadata: {name: acme, namespace: %[1]s, labels: {team: finance}}
spec:
  baseURL: %[2]s
  caBundle: %[3]s
  credentialsSecretRef: {name: acme}
---
apiVersion: concur.ess-operator.io/v1alpha1
kind: EventSubscription
metadata: {name: reports, namespace: %[1]s, annotations: {note: "kept in git"}}
spec:
  connectionRef: {name: acme}
  topic: public.concur.expense.report
  filter: %[4]q
  endpoint: {receiver: {}}
  sink: {ref: {apiVersion: v1, kind: Service, name: expense-bot}}
---
apiVersion: concur.ess-operator.io/v1alpha1
kind: ApplicationConnector
metadata: {name: callouts, namespace: %[1]s}
spec:
  credentialsSecretRef: {name: callouts}
  sink: {ref: {apiVersion: v1, kind: Service, name: expense-bot}}
`

// users are the field managers of those who apply and edit here, all by kubectl; every other is the operator.
var users = []string{"kubectl-client-side-apply", "gitops", "kubectl-annotate", "kubectl-patch"}

// TestOperatorOwnsNothingOfTheUser goes through the life of each kind, and asks the API server what applying
// the same files again would change, and who owns which field.
func TestOperatorOwnsNothingOfTheUser(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{
		"client-side": nil,
		"server-side": {"--server-side", "--field-manager=gitops"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newWorld(t).liveUnderGit(flags)
		})
	}
}

func (w *world) liveUnderGit(flags []string) {
	w.create(w.secret(appSecret))
	w.create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "callouts"},
		StringData: map[string]string{"username": "user-in-" + w.namespace, "password": "password-1"},
	})
	w.git(flags, "apply", ".*")
	w.untouched(flags, ".*")

	w.git(flags, "apply", "reportCreated")
	w.untouched(flags, "reportCreated")

	sub := w.subscription("reports")
	w.foreign("theirs")
	w.kubectl("-n", w.namespace, "annotate", "concurconnection,eventsubscription,applicationconnector", "--all", v1alpha1.ReconcileRequestedAtAnnotation+"=now")
	w.Eventually(func() string { return w.ess.Subscriptions(appID)[0].Filter }).Should(gomega.Equal("reportCreated"))
	w.untouched(flags, "reportCreated")

	w.kubectl("-n", w.namespace, "patch", "eventsubscription", "reports", "--type=merge", "-p", `{"spec":{"suspend":true}}`)
	w.foreign("theirs")
	w.kubectl("-n", w.namespace, "annotate", "eventsubscription", "reports", "--overwrite", v1alpha1.ReconcileRequestedAtAnnotation+"=later")
	w.eventuallyReady(sub, "False", v1alpha1.SuspendedReason)
	w.owns()

	w.ess.InjectFault(essemulator.Fault{Operation: essemulator.OpDelete, Status: 500})
	w.kubectl("-n", w.namespace, "delete", "eventsubscription", "reports", "--wait=false")
	w.eventuallyReady(sub, "False", v1alpha1.UnavailableReason)
	w.owns()
	w.ess.ClearFaults()
}

// git runs a command of kubectl on the files, as they are at this filter.
func (w *world) git(flags []string, command, filter string) {
	w.t.Helper()
	w.Expect(w.tryGit(flags, command, filter)).To(gomega.Succeed())
}

func (w *world) tryGit(flags []string, command, filter string) error {
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.server.Certificate().Raw})
	files := fmt.Sprintf(applied, w.namespace, w.server.URL, base64.StdEncoding.EncodeToString(root), filter)
	_, err := suite.plane.KubectlInput(w.t.Context(), strings.NewReader(files), append([]string{command, "-f", "-"}, flags...)...)
	return err
}

// untouched waits until all objects are ready, and fails when applying the files again would change anything.
func (w *world) untouched(flags []string, filter string) {
	w.t.Helper()
	w.eventuallyReady(w.connection(), "True", v1alpha1.ConnectedReason)
	w.eventuallyReady(w.subscription("reports"), "True", v1alpha1.SubscribedReason)
	w.kubectl("-n", w.namespace, "wait", "--for=condition=Ready", "--timeout="+patience.String(), "applicationconnector/callouts")
	// kubectl fails when there is a difference. It compares a first with a second read of the object, and a status
	// written between the two is one; a field that the operator took from the user stays one however often it is asked.
	w.Eventually(func() error { return w.tryGit(flags, "diff", filter) }).Should(gomega.Succeed())
	w.owns()
}

// owns fails when the operator owns more than status and its finalizer, or not even those.
func (w *world) owns() {
	w.t.Helper()
	for _, o := range []client.Object{w.connection(), w.subscription("reports"), &v1alpha1.ApplicationConnector{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "callouts"},
	}} {
		w.Expect(suite.client.Get(w.t.Context(), client.ObjectKeyFromObject(o), o)).To(gomega.Succeed())
		status := false
		for _, entry := range o.GetManagedFields() {
			if slices.Contains(users, entry.Manager) {
				continue
			}
			owned := paths(w.t, entry.FieldsV1)
			if entry.Subresource == "status" {
				status = true
				w.Expect(owned).To(gomega.HaveEach(gomega.HavePrefix("f:status")), "%T: %s", o, entry.Manager)
				continue
			}
			w.Expect(owned).To(gomega.HaveEach(gomega.Or(
				gomega.Equal("f:metadata f:finalizers ."), gomega.Equal(`f:metadata f:finalizers v:"`+v1alpha1.Finalizer+`"`),
				gomega.Equal("f:metadata f:finalizers"))), "%T: %s", o, entry.Manager)
		}
		w.Expect(status).To(gomega.BeTrue(), "%T: nobody owns the status, so that this test sees nothing of the operator", o)
	}
}

// paths are the leaves of a set of fields, such as "f:metadata f:finalizers .".
func paths(t *testing.T, fields *metav1.FieldsV1) []string {
	t.Helper()
	var tree map[string]any
	if err := json.Unmarshal(fields.GetRawBytes(), &tree); err != nil {
		t.Fatal(err)
	}
	var leaves func(string, map[string]any) []string
	leaves = func(prefix string, inner map[string]any) (all []string) {
		if len(inner) == 0 {
			return []string{strings.TrimSpace(prefix)}
		}
		for _, name := range slices.Sorted(maps.Keys(inner)) {
			below, _ := inner[name].(map[string]any)
			all = append(all, leaves(prefix+" "+name, below)...)
		}
		return all
	}
	return leaves("", tree)
}
