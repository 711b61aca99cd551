package operator_test

import (
	"encoding/pem"
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
)

const (
	// patience is for what must come. It says nothing of how fast that is, and is far beyond what the slowest
	// machine takes.
	patience = 3 * time.Minute
	glance   = 20 * time.Millisecond

	appID     = "dabd27f0-23e7-415d-b5e5-19a7dbe4fb4d"
	appSecret = "3f7bd0a2-5d5e-4c53-9f0c-6c1f7e2f9f11"
	topic     = "public.concur.expense.report"
	company   = "e6a1f1c4-8c8a-4f35-9c52-6d52f6a7a001"
	endpoint  = "https://events.example.net/concur"
)

// world is a namespace and a Concur of its own for one test.
type world struct {
	*gomega.WithT
	t         *testing.T
	namespace string
	ess       *essemulator.Emulator
	server    *httptest.Server
}

// newWorld makes a namespace and starts an emulator with one application, under assumptions that differ
// from the defaults by the changes.
func newWorld(t *testing.T, changes ...func(*essemulator.Assumptions)) *world {
	t.Helper()
	assume := essemulator.DefaultAssumptions()
	assume.DeleteDelay = 100 * time.Millisecond
	for _, change := range changes {
		change(&assume)
	}
	emulator, err := essemulator.New(essemulator.WithAssumptions(assume))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(emulator.Handler())
	emulator.SetBaseURL(server.URL)
	// It listens until the suite ends. The objects of the test stay, and their
	// connections would take another test's emulator on this port for theirs.
	t.Cleanup(emulator.ClearFaults)
	emulator.PutApplication(application(appSecret))
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "t-"}}
	if err := suite.client.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	w := &world{WithT: gomega.NewWithT(t), t: t, namespace: namespace.Name, ess: emulator, server: server}
	w.SetDefaultEventuallyTimeout(patience)
	w.SetDefaultEventuallyPollingInterval(glance)
	return w
}

// application may use the topics of expense reports and of requests.
func application(secrets ...string) essemulator.Application {
	return essemulator.Application{
		ID: appID, Secrets: secrets, AllowedPrincipal: "*",
		Scopes: []string{"events.topic.read", "expense.report.read", "travelrequest.write"},
	}
}

// connect creates the Secret and the connection "acme", and waits until it is ready.
func (w *world) connect(changes ...func(*v1alpha1.ConcurConnection)) *v1alpha1.ConcurConnection {
	w.t.Helper()
	w.create(w.secret(appSecret))
	conn := w.connection(changes...)
	w.create(conn)
	w.eventuallyReady(conn, metav1.ConditionTrue, v1alpha1.ConnectedReason)
	return conn
}

func (w *world) secret(secret string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "acme"},
		StringData: map[string]string{"client_id": appID, "client_secret": secret},
	}
}

func (w *world) connection(changes ...func(*v1alpha1.ConcurConnection)) *v1alpha1.ConcurConnection {
	conn := &v1alpha1.ConcurConnection{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "acme"},
		Spec: v1alpha1.ConcurConnectionSpec{
			BaseURL:              w.server.URL,
			CredentialsSecretRef: v1alpha1.ClientCredentialsRef{Name: "acme"},
			CABundle:             pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.server.Certificate().Raw}),
		},
	}
	for _, change := range changes {
		change(conn)
	}
	return conn
}

// subscription is one named name, through the connection "acme".
func (w *world) subscription(name string, changes ...func(*v1alpha1.EventSubscription)) *v1alpha1.EventSubscription {
	sub := &v1alpha1.EventSubscription{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name},
		Spec: v1alpha1.EventSubscriptionSpec{
			ConnectionRef: v1alpha1.ConnectionRef{Name: "acme"},
			Topic:         topic,
			Endpoint:      v1alpha1.Endpoint{URL: endpoint},
		},
	}
	for _, change := range changes {
		change(sub)
	}
	return sub
}

// subscribe creates a subscription and waits until it is ready.
func (w *world) subscribe(name string, changes ...func(*v1alpha1.EventSubscription)) *v1alpha1.EventSubscription {
	w.t.Helper()
	sub := w.subscription(name, changes...)
	w.create(sub)
	w.eventuallyReady(sub, metav1.ConditionTrue, v1alpha1.SubscribedReason)
	return sub
}

func (w *world) create(o client.Object) {
	w.t.Helper()
	w.Expect(suite.client.Create(w.t.Context(), o)).To(gomega.Succeed())
}

// change patches an object as a user would.
func (w *world) change(o client.Object, change func()) {
	w.t.Helper()
	before := o.DeepCopyObject().(client.Object)
	change()
	w.Expect(suite.client.Patch(w.t.Context(), o, client.MergeFrom(before))).To(gomega.Succeed())
}

// request asks for a reconcile of sub now, and waits for the acknowledgement.
func (w *world) request(sub *v1alpha1.EventSubscription, value string) {
	w.t.Helper()
	w.change(sub, func() { metav1.SetMetaDataAnnotation(&sub.ObjectMeta, v1alpha1.ReconcileRequestedAtAnnotation, value) })
	w.Eventually(func() string { return w.read(sub).Status.LastHandledReconcileAt }).Should(gomega.Equal(value))
}

// read reads sub again from the API server.
func (w *world) read(sub *v1alpha1.EventSubscription) *v1alpha1.EventSubscription {
	w.t.Helper()
	w.Expect(suite.client.Get(w.t.Context(), client.ObjectKeyFromObject(sub), sub)).To(gomega.Succeed())
	return sub
}

// eventuallyReady waits until Ready has this status and reason at the object's generation.
func (w *world) eventuallyReady(o client.Object, status metav1.ConditionStatus, reason string) *metav1.Condition {
	w.t.Helper()
	var ready *metav1.Condition
	w.Eventually(func() string {
		w.Expect(suite.client.Get(w.t.Context(), client.ObjectKeyFromObject(o), o)).To(gomega.Succeed())
		ready = condition(o, v1alpha1.ReadyCondition)
		if ready == nil || ready.ObservedGeneration != o.GetGeneration() {
			return "nothing at this generation"
		}
		return string(ready.Status) + " " + ready.Reason
	}).Should(gomega.Equal(string(status)+" "+reason), func() string { return explain(o) })
	return ready
}

func (w *world) eventuallyGone(o client.Object) {
	w.t.Helper()
	w.Eventually(func() error {
		return client.IgnoreNotFound(suite.client.Get(w.t.Context(), client.ObjectKeyFromObject(o), o))
	}).Should(gomega.Succeed())
	w.Eventually(func() bool {
		return suite.client.Get(w.t.Context(), client.ObjectKeyFromObject(o), o) != nil
	}).Should(gomega.BeTrue(), func() string { return explain(o) })
}

// delete deletes an object and waits until it is gone.
func (w *world) delete(o client.Object) {
	w.t.Helper()
	w.Expect(suite.client.Delete(w.t.Context(), o)).To(gomega.Succeed())
	w.eventuallyGone(o)
}

// calls are the calls that the emulator got, without tokens, as "PUT acme.reports 200".
func (w *world) calls(operations ...string) []string {
	lines := []string{}
	for _, r := range w.ess.Requests() {
		for _, op := range operations {
			if r.Operation == op {
				lines = append(lines, strings.ReplaceAll(r.String(), w.namespace+".", ""))
			}
		}
	}
	return lines
}

// condition returns a condition of one of our objects, or nil.
func condition(o client.Object, conditionType string) *metav1.Condition {
	switch o := o.(type) {
	case *v1alpha1.ConcurConnection:
		return meta.FindStatusCondition(o.Status.Conditions, conditionType)
	case *v1alpha1.EventSubscription:
		return meta.FindStatusCondition(o.Status.Conditions, conditionType)
	default:
		return nil
	}
}

// explain tells the conditions of an object, for failures.
func explain(o client.Object) string {
	var text strings.Builder
	for _, t := range []string{v1alpha1.ReadyCondition, v1alpha1.SyncedCondition, v1alpha1.ReconcilingCondition, v1alpha1.StalledCondition} {
		if c := condition(o, t); c != nil {
			text.WriteString("\n  " + c.Type + "=" + string(c.Status) + " " + c.Reason + ": " + c.Message)
		}
	}
	return text.String()
}
