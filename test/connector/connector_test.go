package connector_test

import (
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

func TestConnectorIsRouted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect("reports", func(s *v1alpha1.ApplicationConnectorSpec) {
		s.Path = "/notify"
		s.Sink.Ref = v1alpha1.SinkRef{APIVersion: "v1", Kind: "Service", Name: "bot"}
	})
	status := conn.Status
	if status.URL != receiverURL+"/notify" || status.TestConnectionURL != receiverURL+"/system/v1.0/testconnection" ||
		status.SinkURI != "http://bot."+w.namespace+".svc" {
		t.Errorf("status tells %q, %q and %q", status.URL, status.TestConnectionURL, status.SinkURI)
	}
	if c, ok := loginOf(t.Context(), w.user("reports"), "password-1"); !ok || c.Name != "reports" || c.Path != "/notify" {
		t.Errorf("the routes hold %+v", c)
	}
	if len(conn.Finalizers) > 0 {
		t.Errorf("there is nothing to hold it for: %q", conn.Finalizers)
	}
	w.Expect(suite.client.Delete(t.Context(), conn)).To(gomega.Succeed())
	w.Eventually(func() []string { return w.accepted("reports") }).Should(gomega.BeEmpty())
}

func TestRotationRefusesNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect("reports")
	user := w.user("reports")
	w.login("reports", user, "password-2")
	w.Eventually(func() []string { return w.accepted("reports") }).Should(gomega.Equal([]string{"password-2", "password-1"}))
	w.eventually(conn, "True", v1alpha1.RoutedReason)

	// Somebody deletes the Secret and makes it again, as some tools do.
	w.Expect(suite.client.Delete(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "reports"}})).To(gomega.Succeed())
	w.eventually(conn, "False", v1alpha1.SecretNotFoundReason)
	w.Consistently(func() []string { return w.accepted("reports") }, 2*time.Second).Should(gomega.ConsistOf("password-2", "password-1"))
	w.login("reports", user, "password-2")
	w.eventually(conn, "True", v1alpha1.RoutedReason)

	// A password that leaked ends at once.
	w.change(conn, func() { conn.Spec.CredentialOverlap = &metav1.Duration{} })
	w.Eventually(func() []string { return w.accepted("reports") }).Should(gomega.Equal([]string{"password-2"}))
	w.eventually(conn, "True", v1alpha1.RoutedReason)
}

func TestFormerPairsGoByThemselves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect("trips", func(s *v1alpha1.ApplicationConnectorSpec) {
		s.CredentialOverlap = &metav1.Duration{Duration: 20 * time.Second} // both must be seen before it is over
	})
	w.login("trips", w.user("trips"), "password-2")
	w.Eventually(func() []string { return w.accepted("trips") }).Should(gomega.Equal([]string{"password-2", "password-1"}))
	w.Eventually(func() []string { return w.accepted("trips") }).Should(gomega.Equal([]string{"password-2"}))
}

func TestSecretsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		reason, user, password, says string
	}{
		"none":        {"nothing there", "", "password-1", `has no value under the key "username"`},
		"short":       {"Concur's rule", "123456789", "password-1", "10 to 50 characters"},
		"long":        {"Concur's rule", "user-of-nobody", strings.Repeat("p", 51), "Callouts and Application Connectors"},
		"colon":       {"HTTP Basic", "user:of:nobody", "password-1", "holds a colon"},
		"line-break":  {"the commonest mistake", "user-of-nobody", "password-1\n", "ends with a line break"},
		"unprintable": {"nobody can type it", "user-of-nobody", "password\x001", "cannot be typed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.login(name, tt.user, tt.password)
			conn := w.connector(name)
			w.create(conn)
			message := w.eventually(conn, "False", v1alpha1.SecretInvalidReason)
			if !strings.Contains(message, tt.says) || tt.user != "" && strings.Contains(message, tt.user) || strings.Contains(message, tt.password) {
				t.Errorf("%s: the message is %q, want it to hold %q and no value", tt.reason, message, tt.says)
			}
			if !meta.IsStatusConditionTrue(conn.Status.Conditions, v1alpha1.StalledCondition) {
				t.Error("not stalled, though only a person can help")
			}
			w.login(name, w.user("good"), "password-1")
			w.eventually(conn, "True", v1alpha1.RoutedReason)
		})
	}
}

func TestUserNamesTellConnectorsApart(t *testing.T) {
	t.Parallel()
	w, other := newWorld(t), newWorld(t)
	older := w.connect("reports")
	// Objects of one second are ordered by name; namespaces have random ones.
	w.Eventually(func() bool { return time.Since(older.CreationTimestamp.Time) > 1100*time.Millisecond }).Should(gomega.BeTrue())
	other.login("trips", w.user("reports"), "another-password")
	younger := other.connector("trips")
	other.create(younger)
	message := other.eventually(younger, "False", v1alpha1.UserNameConflictReason)
	if !strings.Contains(message, w.namespace+"/reports") || !strings.Contains(message, other.namespace+"/trips") || strings.Contains(message, w.user("reports")) {
		t.Errorf("the message is %q", message)
	}
	w.eventually(older, "True", v1alpha1.RoutedReason)
	if _, ok := loginOf(t.Context(), w.user("reports"), "another-password"); ok {
		t.Error("the younger one's password opens the door")
	}
	// The older one takes another name, at last with its former one ended; the younger one is woken.
	w.login("reports", w.user("other"), "password-1")
	other.eventually(younger, "True", v1alpha1.RoutedReason)
	// It goes back to the first name, and is still the older one.
	w.login("reports", w.user("reports"), "password-1")
	other.eventually(younger, "False", v1alpha1.UserNameConflictReason)
	w.eventually(older, "True", v1alpha1.RoutedReason)
	w.Expect(suite.client.Delete(t.Context(), older)).To(gomega.Succeed())
	other.eventually(younger, "True", v1alpha1.RoutedReason)
}

func TestSinkIsAwaited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.login("reports", w.user("reports"), "password-1")
	conn := w.connector("reports", func(s *v1alpha1.ApplicationConnectorSpec) {
		s.Sink.Ref = v1alpha1.SinkRef{APIVersion: "eventing.knative.dev/v1", Kind: "Broker", Name: "default"}
	})
	w.create(conn)
	w.eventually(conn, "False", v1alpha1.SinkNotReadyReason)
	w.Eventually(func() []string { return w.accepted("reports") }).Should(gomega.Equal([]string{"password-1"}),
		"callouts are taken meanwhile")
	if conn.Status.Retry == nil {
		t.Error("status does not say when the sink is looked for again")
	}
	w.change(conn, func() {
		conn.Spec.Sink.Ref.Kind, conn.Spec.Sink.Ref.APIVersion, conn.Spec.Sink.Ref.Namespace = "Service", "v1", "other"
	})
	w.eventually(conn, "False", v1alpha1.SinkNotAllowedReason)
	w.change(conn, func() { conn.Spec.Sink = v1alpha1.Sink{URI: "http://expense-bot.finance.svc:99999"} })
	w.eventually(conn, "False", v1alpha1.InvalidSpecReason)
}

func TestReceiverTellsOfConnectors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect("reports")
	at := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	suite.receiver.set(func() {
		for _, kind := range []string{"subscription", "connector"} { // one of the same name is another route
			told := map[string]any{"route": map[string]string{"kind": kind, "namespace": w.namespace, "name": "reports"}}
			if kind == "connector" {
				told["received"], told["lastEventTime"], told["lastTestConnection"] = 3, at, at.Add(-time.Minute)
			}
			suite.receiver.told = append(suite.receiver.told, told)
		}
	})
	w.Eventually(func() *metav1.Time { return w.read(conn).Status.LastTestConnectionTime }).ShouldNot(gomega.BeNil())
	if got := conn.Status; !got.LastTestConnectionTime.Equal(&metav1.Time{Time: at.Add(-time.Minute)}) || got.Delivery == nil ||
		got.Delivery.Received != 3 || !got.Delivery.LastEventTime.Equal(&metav1.Time{Time: at}) {
		t.Errorf("status tells %s and %+v", got.LastTestConnectionTime, got.Delivery)
	}
}
