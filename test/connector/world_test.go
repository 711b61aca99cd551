package connector_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
	"github.com/ess-operator/ess-operator/internal/essemulator/callout"
)

const (
	// patience is for what must come. It says nothing of how fast that is, and is far beyond what the slowest
	// machine takes.
	patience = 3 * time.Minute
	glance   = 20 * time.Millisecond

	company   = "e6a1f1c4-8c8a-4f35-9c52-6d52f6a7a001"
	userToken = "a-token-of-an-administrator"
)

// world is a namespace and a Concur of its own for one test.
type world struct {
	*gomega.WithT
	t         *testing.T
	namespace string
	concur    *essemulator.Emulator
	server    *httptest.Server
	failing   *httptest.Server // an endpoint that takes nothing
}

func newWorld(t *testing.T) *world {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "t-"}}
	if err := suite.client.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	w := &world{WithT: gomega.NewWithT(t), t: t, namespace: namespace.Name}
	w.SetDefaultEventuallyTimeout(patience)
	w.SetDefaultEventuallyPollingInterval(glance)
	w.SetDefaultConsistentlyPollingInterval(glance)
	return w
}

// startConcur starts an emulator in which an administrator has a token.
func (w *world) startConcur() {
	w.t.Helper()
	assume := essemulator.DefaultAssumptions()
	assume.Callout.Attempts, assume.Callout.PlainHosts = 1, true
	var err error
	w.concur, err = essemulator.New(essemulator.WithAssumptions(assume))
	w.Expect(err).NotTo(gomega.HaveOccurred())
	// It listens until the suite ends. The objects of the test stay, and would take
	// another test's emulator on this port for theirs.
	w.server = httptest.NewServer(w.concur.Handler())
	w.concur.SetBaseURL(w.server.URL)
	w.grant(userToken, essemulator.RoleWebServicesAdministrator)
	w.failing = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	w.Expect(w.concur.Callouts().PutConnector(callout.Connector{
		Name: "failing", CompanyID: company, Host: w.failing.URL, UserName: "nobody-takes", Password: "anything-here", Enabled: true,
	})).To(gomega.Succeed())
	_, err = w.concur.Callouts().TestConnection(w.t.Context(), "failing")
	w.Expect(err).NotTo(gomega.HaveOccurred())
	go w.concur.Callouts().Run(w.t.Context())
}

func (w *world) grant(token string, roles ...string) {
	w.t.Helper()
	_, err := w.concur.PutUserToken(token, essemulator.UserToken{User: "admin", CompanyID: company, Roles: roles})
	w.Expect(err).NotTo(gomega.HaveOccurred())
}

// fail publishes notifications about so many reports to an endpoint that takes none, and waits until they are listed.
func (w *world) fail(from, to int) {
	w.t.Helper()
	for n := from; n < to; n++ {
		_, err := w.concur.Callouts().Publish(callout.Target{CompanyID: company}, callout.Notification{
			EventType: "Report Entered Expense Report Workflow Step - SUBMIT", ObjectType: "EXPRPT",
			ObjectURI: fmt.Sprintf("https://www.concursolutions.com/reports/3%%Rek29$%d", n),
		})
		w.Expect(err).NotTo(gomega.HaveOccurred())
	}
	w.Expect(w.concur.Callouts().Settle(w.t.Context())).To(gomega.Succeed())
}

// left is how many notifications Concur lists as failed.
func (w *world) left() int { return len(w.concur.Callouts().Failed(company, "")) }

// user is a user name that no other test has.
func (w *world) user(name string) string { return "user-" + w.namespace + "-" + name }

// login makes or changes the Secret of a connector.
func (w *world) login(name, user, password string) {
	w.t.Helper()
	w.put(name, map[string]string{"username": user, "password": password})
}

// put makes a Secret, or changes the one that is there.
func (w *world) put(name string, data map[string]string) {
	w.t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}, StringData: data}
	if suite.client.Get(w.t.Context(), client.ObjectKeyFromObject(secret), &corev1.Secret{}) == nil {
		w.Expect(suite.client.Update(w.t.Context(), secret)).To(gomega.Succeed())
		return
	}
	w.create(secret)
}

// connector is one whose Secret has its name.
func (w *world) connector(name string, changes ...func(*v1alpha1.ApplicationConnectorSpec)) *v1alpha1.ApplicationConnector {
	conn := &v1alpha1.ApplicationConnector{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name},
		Spec:       v1alpha1.ApplicationConnectorSpec{CredentialsSecretRef: v1alpha1.BasicCredentialsRef{Name: name}},
	}
	for _, change := range changes {
		change(&conn.Spec)
	}
	return conn
}

// recovering fetches failed notifications from the world's Concur.
func (w *world) recovering(deleting bool) func(*v1alpha1.ApplicationConnectorSpec) {
	return func(s *v1alpha1.ApplicationConnectorSpec) {
		s.Recovery = v1alpha1.Recovery{
			BaseURL: w.server.URL, TokenSecretRef: v1alpha1.TokenRef{Name: "token"}, DeleteRecovered: deleting,
		}
	}
}

// connect makes a connector with a login of its own, and waits until it is ready.
func (w *world) connect(name string, changes ...func(*v1alpha1.ApplicationConnectorSpec)) *v1alpha1.ApplicationConnector {
	w.t.Helper()
	w.login(name, w.user(name), "password-1")
	conn := w.connector(name, changes...)
	w.create(conn)
	w.eventually(conn, "True", v1alpha1.RoutedReason)
	return conn
}

func (w *world) create(o client.Object) {
	w.t.Helper()
	w.Expect(suite.client.Create(w.t.Context(), o)).To(gomega.Succeed())
}

// change patches a connector as a user would.
func (w *world) change(conn *v1alpha1.ApplicationConnector, change func()) {
	w.t.Helper()
	before := conn.DeepCopy()
	change()
	w.Expect(suite.client.Patch(w.t.Context(), conn, client.MergeFrom(before))).To(gomega.Succeed())
}

// again asks for a run now.
func (w *world) again(conn *v1alpha1.ApplicationConnector, value string) {
	w.t.Helper()
	w.change(conn, func() { metav1.SetMetaDataAnnotation(&conn.ObjectMeta, v1alpha1.ReconcileRequestedAtAnnotation, value) })
}

func (w *world) read(conn *v1alpha1.ApplicationConnector) *v1alpha1.ApplicationConnector {
	w.t.Helper()
	w.Expect(suite.client.Get(w.t.Context(), client.ObjectKeyFromObject(conn), conn)).To(gomega.Succeed())
	return conn
}

// eventually waits until Ready has this status and reason at the connector's generation, and returns its message.
func (w *world) eventually(conn *v1alpha1.ApplicationConnector, status, reason string) string {
	w.t.Helper()
	var ready *metav1.Condition
	w.Eventually(func() string {
		ready = meta.FindStatusCondition(w.read(conn).Status.Conditions, v1alpha1.ReadyCondition)
		if ready == nil || ready.ObservedGeneration != conn.Generation {
			return "nothing at this generation"
		}
		return string(ready.Status) + " " + ready.Reason
	}).Should(gomega.Equal(status+" "+reason), func() string { return explain(conn) })
	return ready.Message
}

func explain(conn *v1alpha1.ApplicationConnector) string {
	var text strings.Builder
	for _, c := range conn.Status.Conditions {
		text.WriteString("\n  " + c.Type + "=" + string(c.Status) + " " + c.Reason + ": " + c.Message)
	}
	return text.String() + fmt.Sprintf("\n  %+v", conn.Status.Recovery)
}

// accepted are the passwords that the routes accept with a connector's user name.
func (w *world) accepted(name string) []string {
	passwords := []string{}
	for _, c := range routed(w.t.Context()) {
		for _, pair := range c.Credentials {
			if c.Namespace == w.namespace && c.Name == name {
				passwords = append(passwords, pair.Password)
			}
		}
	}
	return passwords
}
