package resilience_test

import (
	"encoding/pem"
	"net/http/httptest"
	"slices"
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
	quiet    = "500ms" // how long nothing happens when all is done

	appID     = "dabd27f0-23e7-415d-b5e5-19a7dbe4fb4d"
	appSecret = "3f7bd0a2-5d5e-4c53-9f0c-6c1f7e2f9f11"
	topic     = "public.concur.expense.report"
	endpoint  = "https://events.example.net/concur"
)

// world is a namespace and a Concur of its own for one test.
type world struct {
	*gomega.WithT
	t         *testing.T
	plane     *plane
	namespace string
	ess       *essemulator.Emulator
	server    *httptest.Server
	clock     *essemulator.Clock // of ess, in a world whose time stands still
}

// newWorld makes a namespace in p and starts an emulator with one application.
func newWorld(t *testing.T, p *plane, options ...essemulator.Option) *world {
	t.Helper()
	assume := essemulator.DefaultAssumptions()
	assume.DeleteDelay = 100 * time.Millisecond
	emulator, err := essemulator.New(append([]essemulator.Option{essemulator.WithAssumptions(assume)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(emulator.Handler())
	emulator.SetBaseURL(server.URL)
	t.Cleanup(func() {
		emulator.ClearFaults()
		server.CloseClientConnections()
		server.Close()
	})
	emulator.PutApplication(essemulator.Application{
		ID: appID, Secrets: []string{appSecret}, AllowedPrincipal: "*", Scopes: []string{"events.topic.read", "expense.report.read"},
	})
	w := &world{WithT: gomega.NewWithT(t), t: t, plane: p, ess: emulator, server: server}
	w.SetDefaultEventuallyTimeout(patience)
	w.SetDefaultEventuallyPollingInterval(glance)
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "t-"}}
	w.create(namespace)
	w.namespace = namespace.Name
	return w
}

// connection creates the Secret and the connection "acme".
func (w *world) connection() *v1alpha1.ConcurConnection {
	w.t.Helper()
	w.create(w.secret())
	conn := &v1alpha1.ConcurConnection{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "acme"},
		Spec: v1alpha1.ConcurConnectionSpec{
			BaseURL:              w.server.URL,
			CredentialsSecretRef: v1alpha1.ClientCredentialsRef{Name: "acme"},
			CABundle:             pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.server.Certificate().Raw}),
			RateLimit:            v1alpha1.RateLimit{RequestsPerSecond: 50, Burst: 100},
		},
	}
	w.create(conn)
	return conn
}

func (w *world) secret() *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "acme"},
		StringData: map[string]string{"client_id": appID, "client_secret": appSecret},
	}
}

// connect is connection, and waits until it is ready.
func (w *world) connect() {
	w.t.Helper()
	w.eventuallyReady(w.connection(), metav1.ConditionTrue, v1alpha1.ConnectedReason)
}

// subscription creates one, through the connection "acme".
func (w *world) subscription(name string, changes ...func(*v1alpha1.EventSubscription)) *v1alpha1.EventSubscription {
	w.t.Helper()
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
	w.create(sub)
	return sub
}

// subscribe is subscription, and waits until it is ready.
func (w *world) subscribe(name string) *v1alpha1.EventSubscription {
	w.t.Helper()
	sub := w.subscription(name)
	w.eventuallySubscribed(sub)
	return sub
}

func (w *world) eventuallySubscribed(sub *v1alpha1.EventSubscription) {
	w.t.Helper()
	w.eventuallyReady(sub, metav1.ConditionTrue, v1alpha1.SubscribedReason)
}

func (w *world) create(o client.Object) {
	w.t.Helper()
	w.Expect(w.plane.client.Create(w.t.Context(), o)).To(gomega.Succeed())
}

// delete asks for a deletion and does not wait.
func (w *world) delete(o client.Object) {
	w.t.Helper()
	w.Expect(w.plane.client.Delete(w.t.Context(), o)).To(gomega.Succeed())
}

// read reads an object again.
func (w *world) read(o client.Object) error {
	return w.plane.client.Get(w.t.Context(), client.ObjectKeyFromObject(o), o)
}

// change patches what an object is now, as a user would.
func (w *world) change(o client.Object, change func()) {
	w.t.Helper()
	w.Expect(w.read(o)).To(gomega.Succeed())
	before := o.DeepCopyObject().(client.Object)
	change()
	w.Expect(w.plane.client.Patch(w.t.Context(), o, client.MergeFrom(before))).To(gomega.Succeed())
}

// poke asks for a reconcile of an object now, and does not wait.
func (w *world) poke(o client.Object, value string) {
	w.t.Helper()
	w.change(o, func() {
		annotations := map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: value}
		o.SetAnnotations(annotations)
	})
}

// request asks for a reconcile of sub, and waits for the acknowledgement.
func (w *world) request(sub *v1alpha1.EventSubscription, value string) {
	w.t.Helper()
	w.poke(sub, value)
	w.Eventually(func() string {
		w.Expect(w.read(sub)).To(gomega.Succeed())
		return sub.Status.LastHandledReconcileAt
	}).Should(gomega.Equal(value))
}

// eventuallyReady waits until Ready has this status and reason at the object's generation.
func (w *world) eventuallyReady(o client.Object, status metav1.ConditionStatus, reason string) {
	w.t.Helper()
	w.Eventually(func() string {
		if err := w.read(o); err != nil {
			return err.Error() // the API server may be down
		}
		ready := condition(o, v1alpha1.ReadyCondition)
		if ready == nil || ready.ObservedGeneration != o.GetGeneration() {
			return "nothing at this generation"
		}
		return string(ready.Status) + " " + ready.Reason
	}).Should(gomega.Equal(string(status)+" "+reason), func() string { return explain(o) })
}

// eventuallyGone waits until an object does not exist.
func (w *world) eventuallyGone(o client.Object) {
	w.t.Helper()
	w.Eventually(func() string {
		switch err := w.read(o); {
		case err == nil:
			return "still there"
		case client.IgnoreNotFound(err) == nil:
			return "gone"
		default:
			return err.Error()
		}
	}).Should(gomega.Equal("gone"), func() string { return explain(o) })
}

// held are the subscriptions that ESS holds for our application, by their names here, as "reports .*".
func (w *world) held() []string {
	held := []string{}
	for _, s := range w.ess.Subscriptions(appID) {
		held = append(held, w.local(s.ID)+" "+s.Filter)
	}
	return held
}

// count is how many calls of an operation ESS got.
func (w *world) count(operation string) int { return len(w.calls(operation)) }

// calls are the calls that ESS got, as "PUT reports 200".
func (w *world) calls(operations ...string) []string {
	lines := []string{}
	for _, r := range w.ess.Requests() {
		if slices.Contains(operations, r.Operation) {
			lines = append(lines, w.local(r.String()))
		}
	}
	return lines
}

// local leaves the namespace out of an id.
func (w *world) local(text string) string { return strings.ReplaceAll(text, w.namespace+".", "") }

// condition returns a condition of one of our objects, or nil.
func condition(o client.Object, conditionType string) *metav1.Condition {
	switch o := o.(type) {
	case *v1alpha1.ConcurConnection:
		return meta.FindStatusCondition(o.Status.Conditions, conditionType)
	case *v1alpha1.EventSubscription:
		return meta.FindStatusCondition(o.Status.Conditions, conditionType)
	case *v1alpha1.ApplicationConnector:
		return meta.FindStatusCondition(o.Status.Conditions, conditionType)
	default:
		return nil
	}
}

// explain tells the conditions of an object, for failures.
func explain(o client.Object) string {
	text := ""
	for _, t := range []string{v1alpha1.ReadyCondition, v1alpha1.SyncedCondition, v1alpha1.ReconcilingCondition, v1alpha1.StalledCondition} {
		if c := condition(o, t); c != nil {
			text += "\n  " + c.Type + "=" + string(c.Status) + " " + c.Reason + ": " + c.Message
		}
	}
	return text
}
