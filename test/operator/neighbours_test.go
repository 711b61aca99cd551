package operator_test

import (
	"testing"

	"github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// TestIdleConnectionKeepsNoPlaceFree gives the only place to the younger of two
// objects, because the older one's connection is suspended.
func TestIdleConnectionKeepsNoPlaceFree(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := func(c *v1alpha1.ConcurConnection) { c.Spec.MaxSubscriptions = 1 }
	w.connect(one)
	idle := w.connection(one, func(c *v1alpha1.ConcurConnection) { c.Name = "idle" })
	w.create(idle)
	w.eventuallyReady(idle, "True", v1alpha1.ConnectedReason)
	w.change(idle, func() { idle.Spec.Suspend = true })
	w.eventuallyReady(idle, "False", v1alpha1.SuspendedReason)
	older := w.subscription("a-older", func(s *v1alpha1.EventSubscription) { s.Spec.ConnectionRef.Name = "idle" })
	w.create(older)
	w.eventuallyReady(older, "False", v1alpha1.ConnectionNotReadyReason)
	w.subscribe("b-younger")
}

// TestNewsArriveThoughTheConnectionCannotReport lets the API server refuse to
// store the status of a connection while it ceases to work.
func TestNewsArriveThoughTheConnectionCannotReport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	sub := w.subscribe("reports")
	w.refuseStatusOf(conn)
	w.Expect(suite.client.Delete(t.Context(), w.secret(""))).To(gomega.Succeed())
	w.eventuallyReady(sub, "False", v1alpha1.ConnectionNotReadyReason)
}

// refuseStatusOf makes the API server refuse every status of connections in the namespace of w.
func (w *world) refuseStatusOf(conn *v1alpha1.ConcurConnection) {
	w.t.Helper()
	w.refuse("concurconnections/status", "false")
	w.Eventually(func() error {
		after := conn.DeepCopy()
		after.Status.Scopes = nil
		return suite.client.Status().Patch(w.t.Context(), after, client.MergeFrom(conn), client.DryRunAll)
	}).Should(gomega.MatchError(gomega.ContainSubstring("refused by a test")))
}

// refuse makes the API server refuse every update of a resource in the namespace of w for which the expression is not
// true, from some time on until the binding returned is deleted.
func (w *world) refuse(resource, expression string) *admissionv1.ValidatingAdmissionPolicyBinding {
	w.t.Helper()
	policy := &admissionv1.ValidatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
	policy.Spec.MatchConstraints = &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
		RuleWithOperations: admissionv1.RuleWithOperations{
			Operations: []admissionv1.OperationType{admissionv1.Update},
			Rule: admissionv1.Rule{
				APIGroups: []string{"concur.ess-operator.io"}, APIVersions: []string{"*"}, Resources: []string{resource},
			},
		},
	}}}
	policy.Spec.Validations = []admissionv1.Validation{{Expression: expression, Message: "refused by a test"}}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
	binding.Spec = admissionv1.ValidatingAdmissionPolicyBindingSpec{
		PolicyName: policy.Name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
		MatchResources: &admissionv1.MatchResources{NamespaceSelector: &metav1.LabelSelector{
			MatchLabels: map[string]string{corev1.LabelMetadataName: w.namespace},
		}},
	}
	w.create(policy)
	w.create(binding)
	return binding
}
