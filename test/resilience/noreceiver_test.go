package resilience_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// TestReceiverComesLater starts a manager that knows no receiver, and then one that does.
func TestReceiverComesLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t, suite)
	first := w.start()
	w.connect()
	w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "routes"}})
	w.create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "callouts"},
		StringData: map[string]string{"username": "user-who-waits", "password": "password-1"},
	})
	sub := w.subscription("reports", func(s *v1alpha1.EventSubscription) {
		s.Spec.Endpoint = v1alpha1.Endpoint{Receiver: &v1alpha1.ReceiverEndpoint{}}
	})
	conn := &v1alpha1.ApplicationConnector{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "callouts"},
		Spec:       v1alpha1.ApplicationConnectorSpec{CredentialsSecretRef: v1alpha1.BasicCredentialsRef{Name: "callouts"}},
	}
	w.create(conn)
	w.eventuallyReady(sub, metav1.ConditionFalse, v1alpha1.ReceiverNotConfiguredReason)
	w.eventuallyReady(conn, metav1.ConditionFalse, v1alpha1.ReceiverNotConfiguredReason)
	for _, o := range []client.Object{sub, conn} { // whoever installed by kustomize or Helm has never seen the flag
		message := condition(o, v1alpha1.ReadyCondition).Message
		for _, words := range []string{"--receiver-url", "publicURL set in the ConfigMap ess-operator-receiver", "receiver.publicURL of the Helm chart", "manager restarted"} {
			if !strings.Contains(message, words) {
				t.Errorf("%T says %q, without %q", o, message, words)
			}
		}
	}
	first.kill()

	w.start(func(s *childSettings) { s.Receiver = true })
	w.eventuallySubscribed(sub)
	w.eventuallyReady(conn, metav1.ConditionTrue, v1alpha1.RoutedReason)
}
