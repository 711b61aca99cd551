package resilience_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// accepted are the passwords in the Secret of the receiver's routes.
func (w *world) accepted() []string {
	routes := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "routes"}}
	if w.read(routes) != nil {
		return nil
	}
	return regexp.MustCompile("password-[0-9]").FindAllString(string(routes.Data["routes.yaml"]), -1)
}

// settled waits until the manager has looked at a connector again, and is content with it.
func (w *world) settled(conn *v1alpha1.ApplicationConnector) {
	w.t.Helper()
	w.poke(conn, "settle")
	w.Eventually(func() string {
		w.Expect(w.read(conn)).To(gomega.Succeed())
		return conn.Status.LastHandledReconcileAt
	}).Should(gomega.Equal("settle"))
	w.eventuallyReady(conn, metav1.ConditionTrue, v1alpha1.RoutedReason)
}

// TestRotationOutlivesTheOperator kills the manager between the change of a password and the end of the former one.
func TestRotationOutlivesTheOperator(t *testing.T) {
	t.Parallel()
	w := newWorld(t, suite)
	w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "routes"}})
	login := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "callouts"},
		StringData: map[string]string{"username": "user-of-callouts", "password": "password-1"},
	}
	w.create(login)
	conn := &v1alpha1.ApplicationConnector{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "callouts"},
		Spec:       v1alpha1.ApplicationConnectorSpec{CredentialsSecretRef: v1alpha1.BasicCredentialsRef{Name: "callouts"}},
	}
	w.create(conn)
	withReceiver := func(ahead time.Duration) func(*childSettings) {
		return func(s *childSettings) { s.Receiver, s.Ahead = true, ahead }
	}
	manager := w.start(withReceiver(0))
	w.eventuallyReady(conn, metav1.ConditionTrue, v1alpha1.RoutedReason)
	w.Expect(w.accepted()).To(gomega.Equal([]string{"password-1"}))
	manager.kill()

	// Nobody is there when the password is changed.
	w.change(login, func() { login.StringData = map[string]string{"password": "password-2"} })
	manager = w.start(withReceiver(time.Minute))
	w.Eventually(w.accepted).Should(gomega.Equal([]string{"password-2", "password-1"}))
	w.settled(conn) // status may have said meanwhile that the routes lack the new password
	manager.kill()

	// A manager that finds everything as it should be writes nothing, and waits for the rest of the hour.
	manager = w.start(withReceiver(30 * time.Minute))
	w.Eventually(manager.logged).Should(gomega.ContainSubstring("Starting workers"))
	routes := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "routes"}}
	w.Expect(w.read(routes)).To(gomega.Succeed())
	version := routes.ResourceVersion
	w.Consistently(manager.written, "3s", "100ms").Should(gomega.BeEmpty())
	w.Expect(w.read(routes)).To(gomega.Succeed())
	w.Expect(routes.ResourceVersion).To(gomega.Equal(version), "the routes were written though nothing is new")
	w.Expect(w.accepted()).To(gomega.Equal([]string{"password-2", "password-1"}))
	w.eventuallyReady(conn, metav1.ConditionTrue, v1alpha1.RoutedReason)
	manager.kill()

	w.start(withReceiver(62 * time.Minute))
	w.Eventually(w.accepted).Should(gomega.Equal([]string{"password-2"}))
	w.eventuallyReady(conn, metav1.ConditionTrue, v1alpha1.RoutedReason)
}
