package privileges_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/test/privileges/audit"
)

// everything is an overlay with all parts of the manifests that concern the manager's permissions.
var everything = map[string]string{"kustomization.yaml": `
resources: ["{config}/default", extra.yaml]
components: ["{config}/knative"]
`, "extra.yaml": extraRole}

// extraRole grants something that the manager has no need of, and the test has to find.
const extraRole = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: extra, namespace: ess-operator-system}
rules:
- {apiGroups: [""], resources: [secrets], verbs: [delete]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: extra, namespace: ess-operator-system}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: extra}
subjects: [{kind: ServiceAccount, name: ess-operator-manager, namespace: ess-operator-system}]
`

// extra is how the one grant of extraRole is told.
const extra = "delete secrets in ess-operator-system (Role ess-operator-system/extra)"

func TestDefaultIsMinimal(t *testing.T) {
	t.Parallel()
	w := newWorld(newCluster(t, everything))
	// Of this kind the API server learns while the manager runs.
	w.kubectl("delete", "crd", "applicationconnectors.concur.ess-operator.io")
	first := w.start()
	byLabel := &v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesFromSelector, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "money"}}}
	conn, secret := w.connect(finance, byLabel)
	trips := w.subscription(travel, "trips")
	w.eventuallyReady(trips, metav1.ConditionFalse, v1alpha1.ConnectionNotAllowedReason)
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: travel}}
	w.change(namespace, func() { metav1.SetMetaDataLabel(&namespace.ObjectMeta, "team", "money") })
	w.eventuallyReady(trips, metav1.ConditionTrue, v1alpha1.SubscribedReason)
	w.kubectl("apply", "-k", "../../config/crd")
	first.eventuallyLogs("the definition of this kind has been installed")
	w.Eventually(w.adminToken).ShouldNot(gomega.BeEmpty())
	w.work(conn, secret)
	w.addressable()
	w.scraped(first)
	first.stop()

	second := w.start(listing)
	w.request(trips)
	w.leave(conn)
	second.stop()
	w.expectMinimal(audit.Findings{Unused: []string{extra}})
	w.expectHarmless()
	w.expectNothingForReceiver()
}

// request asks for a reconcile, and waits until it is acknowledged.
func (w *world) request(sub *v1alpha1.EventSubscription) {
	w.t.Helper()
	const value = "after the restart"
	w.change(sub, func() { metav1.SetMetaDataAnnotation(&sub.ObjectMeta, v1alpha1.ReconcileRequestedAtAnnotation, value) })
	w.Eventually(func() string {
		w.Expect(w.read(sub)).To(gomega.Succeed())
		return sub.Status.LastHandledReconcileAt
	}).Should(gomega.Equal(value))
}

// expectMinimal holds the log against the roles. What differs has to be as expected.
func (c *cluster) expectMinimal(want audit.Findings) {
	c.t.Helper()
	granted, requests := folded(c.bound().Grants(systemNamespace, managerAccount), c.requests())
	c.t.Logf("%d grants, %d requests", len(granted), len(requests))
	if diff := cmp.Diff(want, audit.Compare(granted, requests)); diff != "" {
		c.t.Errorf("what the manager may do, and what it did: take unused grants away, and grant what was refused (-want +got):\n%s", diff)
	}
	if c.t.Failed() {
		for _, r := range requests {
			c.t.Log(r.Code, strings.TrimSpace(r.String()))
		}
	}
}

// expectNothingForReceiver looks for a way by which the part that faces the internet could call the API server.
func (c *cluster) expectNothingForReceiver() {
	c.t.Helper()
	const receiver = "ess-operator-receiver"
	if grants := c.bound().Grants(systemNamespace, receiver); len(grants) > 0 {
		c.t.Errorf("the receiver may %v, want nothing", grants)
	}
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: systemNamespace, Name: receiver}}
	c.Expect(c.read(deployment)).To(gomega.Succeed())
	pod := deployment.Spec.Template.Spec
	if pod.ServiceAccountName != receiver {
		c.t.Errorf("the receiver runs as %q, whose roles this test does not look at", pod.ServiceAccountName)
	}
	if mount := pod.AutomountServiceAccountToken; mount == nil || *mount {
		c.t.Error("the receiver's pod gets the token of its service account")
	}
	for _, volume := range pod.Volumes {
		if volume.Projected == nil {
			continue
		}
		for _, source := range volume.Projected.Sources {
			if source.ServiceAccountToken != nil || source.PodCertificate != nil {
				c.t.Errorf("the receiver's volume %s holds credentials for the API server", volume.Name)
			}
		}
	}
}
