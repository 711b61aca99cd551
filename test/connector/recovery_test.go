package connector_test

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// reports are the ObjectURIs of what the receiver stored for a user name, each once, sorted.
func reports(t *testing.T, user string) []string {
	t.Helper()
	var uris []string
	for _, body := range suite.receiver.bodies(user) {
		var n struct{ EventType, ObjectType, ObjectURI, EventDateTime string }
		if err := xml.Unmarshal([]byte(body), &n); err != nil || n.EventType == "" || n.ObjectType != "EXPRPT" || n.EventDateTime == "" {
			t.Fatalf("%v: %s", err, body)
		}
		uris = append(uris, n.ObjectURI)
	}
	slices.Sort(uris)
	return slices.Compact(uris)
}

func TestFailedNotificationsAreRecovered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.startConcur()
	w.fail(0, 5)
	w.put("token", map[string]string{"token": userToken + "\n"})
	conn := w.connect("reports", w.recovering(true))
	w.Eventually(w.left).Should(gomega.BeZero())
	if got := reports(t, w.user("reports")); len(got) != 5 || got[4] != "https://www.concursolutions.com/reports/3%Rek29$4" {
		t.Errorf("the receiver stored %q", got)
	}
	if n := len(suite.receiver.bodies(w.user("reports"))); n != 5 {
		t.Errorf("%d posts for 5 notifications", n)
	}
	w.Eventually(func() int64 { return recoveryOf(w.read(conn)).Recovered }).Should(gomega.BeEquivalentTo(5))
	if s := recoveryOf(conn); s.LastRunTime == nil || s.FailedSeen != 5 || s.LastError != "" {
		t.Errorf("status tells %+v", s)
	}

	// The next ones, by the other scheme, and a run that finds nothing.
	w.fail(5, 7)
	w.change(conn, func() { conn.Spec.Recovery.AuthScheme = v1alpha1.AuthBearer })
	w.Eventually(w.left).Should(gomega.BeZero())
	w.Eventually(func() int64 { return recoveryOf(w.read(conn)).Recovered }).Should(gomega.BeEquivalentTo(7))
	w.again(conn, "now")
	w.Eventually(func() string { return w.read(conn).Status.LastHandledReconcileAt }).Should(gomega.Equal("now"))
	w.Expect(recoveryOf(conn).FailedSeen).To(gomega.BeZero(), "what is acknowledged was done")
}

func TestRequestsOfConnectorsAreAcknowledged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acknowledged := func(conn *v1alpha1.ApplicationConnector) func() string {
		return func() string { return w.read(conn).Status.LastHandledReconcileAt }
	}
	plain := w.connect("plain")
	w.again(plain, "now")
	w.Eventually(acknowledged(plain)).Should(gomega.Equal("now"))

	w.startConcur()
	lacking := w.connector("lacking", w.recovering(true))
	w.create(lacking)
	w.eventually(lacking, "False", v1alpha1.SecretNotFoundReason)
	w.again(lacking, "now")
	w.Eventually(acknowledged(lacking)).Should(gomega.Equal("now"), "nothing can be fetched, and status says why")
}

func recoveryOf(conn *v1alpha1.ApplicationConnector) v1alpha1.RecoveryStatus {
	if conn.Status.Recovery == nil {
		return v1alpha1.RecoveryStatus{}
	}
	return *conn.Status.Recovery
}

func TestNothingIsDeletedUnasked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.startConcur()
	w.fail(0, 3)
	w.put("token", map[string]string{"token": userToken})
	conn := w.connect("reports", w.recovering(false))
	w.Eventually(func() int64 { return recoveryOf(w.read(conn)).Recovered }).Should(gomega.BeEquivalentTo(3))
	w.fail(3, 4)
	w.again(conn, "now")
	w.Eventually(func() int64 { return recoveryOf(w.read(conn)).Recovered }).Should(gomega.BeEquivalentTo(4))
	if n := len(suite.receiver.bodies(w.user("reports"))); n != 4 {
		t.Errorf("%d posts for 4 notifications: what was stored is posted again", n)
	}
	if w.left() != 4 {
		t.Errorf("%d notifications are left at Concur, want all 4", w.left())
	}
}

// TestCrashBetweenStoreAndDelete lets the receiver store and its answer get lost, which to the operator is the same as
// an end of its own between the two.
func TestCrashBetweenStoreAndDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.startConcur()
	w.fail(0, 1)
	w.put("token", map[string]string{"token": userToken})
	user := w.user("reports")
	suite.receiver.set(func() { suite.receiver.lost[user] = true })
	conn := w.connect("reports", w.recovering(true))
	w.Eventually(func() []string { return suite.receiver.bodies(user) }).ShouldNot(gomega.BeEmpty())
	if w.left() != 1 {
		t.Fatal("deleted at Concur, though nobody said that it was stored")
	}
	w.Eventually(func() string { return recoveryOf(w.read(conn)).LastError }).Should(gomega.ContainSubstring("the receiver"))
	suite.receiver.set(func() { delete(suite.receiver.lost, user) })
	w.Eventually(w.left).Should(gomega.BeZero())
	all := suite.receiver.bodies(user)
	if len(slices.Compact(slices.Clone(all))) != 1 {
		t.Errorf("the same notification has different bytes, so that nobody can tell that it is the same: %q", all)
	}
	w.Eventually(func() string { return recoveryOf(w.read(conn)).LastError }).Should(gomega.BeEmpty())
}

func TestReceiverThatStoresNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.startConcur()
	w.fail(0, 2)
	w.put("token", map[string]string{"token": userToken})
	user := w.user("reports")
	suite.receiver.set(func() { suite.receiver.down[user] = http.StatusServiceUnavailable })
	conn := w.connect("reports", w.recovering(true))
	w.Eventually(func() string { return recoveryOf(w.read(conn)).LastError }).Should(gomega.ContainSubstring("HTTP 503"))
	w.eventually(conn, "True", v1alpha1.RoutedReason) // callouts are another matter
	suite.receiver.set(func() { suite.receiver.down[user] = http.StatusNoContent })
	w.Eventually(func() string { return recoveryOf(w.read(conn)).LastError }).Should(gomega.ContainSubstring("HTTP 204"))
	if w.left() != 2 {
		t.Error("204 is not 200: something was deleted that nobody stored")
	}
	suite.receiver.set(func() { delete(suite.receiver.down, user) })
	w.again(conn, "now")
	w.Eventually(w.left).Should(gomega.BeZero())
}

func TestTokenThatIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.startConcur()
	w.fail(0, 1)
	w.login("reports", w.user("reports"), "password-1")
	conn := w.connector("reports", w.recovering(true))
	w.create(conn)
	w.eventually(conn, "False", v1alpha1.SecretNotFoundReason)
	w.put("token", map[string]string{"other": "x"})
	w.eventually(conn, "False", v1alpha1.SecretInvalidReason)

	w.grant("a-token-without-role", "Employee")
	w.put("token", map[string]string{"token": "a-token-without-role"})
	message := w.eventually(conn, "False", v1alpha1.TokenRejectedReason)
	if !strings.Contains(message, "Web Services Administrator") || strings.Contains(message, "a-token-without-role") {
		t.Errorf("the message is %q", message)
	}
	if got := w.accepted("reports"); len(got) != 1 {
		t.Error("callouts are refused because of the token")
	}
	w.put("token", map[string]string{"token": userToken})
	w.eventually(conn, "True", v1alpha1.RoutedReason)
	w.Eventually(w.left).Should(gomega.BeZero())

	w.concur.RevokeUserTokens("admin")
	w.again(conn, "revoked")
	w.eventually(conn, "False", v1alpha1.TokenRejectedReason)
}

func TestHostsThatMayNotBeCalled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.startConcur()
	w.put("token", map[string]string{"token": userToken})
	w.login("reports", w.user("reports"), "password-1")
	conn := w.connector("reports", w.recovering(true))
	conn.Spec.Recovery.BaseURL = strings.Replace(w.server.URL, "127.0.0.1", "localhost", 1)
	w.create(conn)
	w.eventually(conn, "False", v1alpha1.HostNotAllowedReason)

	// Concur names URIs at a host that may not be called.
	w.concur.SetBaseURL("https://evil.example.net")
	w.fail(0, 2)
	w.change(conn, func() { conn.Spec.Recovery.BaseURL = w.server.URL })
	w.eventually(conn, "False", v1alpha1.HostNotAllowedReason)
	w.Eventually(func() int { return len(reports(t, w.user("reports"))) }).Should(gomega.Equal(2), "one that cannot be deleted holds up the others")
	if w.left() != 2 {
		t.Error("something was deleted")
	}
}

func TestRetryAfterIsRespected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.startConcur()
	w.fail(0, 1)
	w.put("token", map[string]string{"token": userToken})
	w.concur.InjectFault(essemulator.Fault{Operation: essemulator.OpFailedList, Times: 1, Status: http.StatusTooManyRequests, RetryAfter: "2"})
	start := time.Now()
	conn := w.connect("reports", w.recovering(true))
	w.Eventually(w.left).Should(gomega.BeZero())
	if took := time.Since(start); took < 2*time.Second {
		t.Errorf("asked again after %s", took)
	}
	w.Eventually(func() string { return recoveryOf(w.read(conn)).LastError }).Should(gomega.BeEmpty())
}

func TestRecoveryTellsPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.startConcur()
	w.fail(0, 1)
	w.put("token", map[string]string{"token": userToken})
	conn := w.connect("reports", w.recovering(true))
	w.Eventually(func() bool {
		var list corev1.EventList
		w.Expect(suite.client.List(t.Context(), &list, client.InNamespace(w.namespace))).To(gomega.Succeed())
		return slices.ContainsFunc(list.Items, func(e corev1.Event) bool { return e.Reason == "Recovered" && e.InvolvedObject.Name == conn.Name })
	}).Should(gomega.BeTrue())
	var secrets corev1.SecretList
	w.Expect(suite.client.List(t.Context(), &secrets, client.InNamespace(w.namespace))).To(gomega.Succeed())
	for _, s := range secrets.Items {
		if len(s.Finalizers) > 0 {
			t.Errorf("the operator wrote on Secret %s", s.Name)
		}
	}
}
