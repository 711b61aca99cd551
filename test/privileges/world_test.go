package privileges_test

import (
	"encoding/pem"
	"net/http/httptest"
	"strings"
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
	// The namespaces of the users.
	finance = "finance"
	travel  = "travel"

	appID     = "dabd27f0-23e7-415d-b5e5-19a7dbe4fb4d"
	appSecret = "3f7bd0a2-5d5e-4c53-9f0c-6c1f7e2f9f11"
	company   = "e6a1f1c4-8c8a-4f35-9c52-6d52f6a7a001"
	topic     = "public.concur.expense.report"
	endpoint  = "https://events.example.net/concur"
	userToken = "token-of-an-administrator"
)

// world is a cluster and a Concur.
type world struct {
	*cluster
	ess    *essemulator.Emulator
	server *httptest.Server
}

// newWorld starts an emulator with one application.
func newWorld(c *cluster) *world {
	c.t.Helper()
	assume := essemulator.DefaultAssumptions()
	assume.DeleteDelay = 100 * time.Millisecond
	emulator, err := essemulator.New(essemulator.WithAssumptions(assume))
	c.Expect(err).NotTo(gomega.HaveOccurred())
	server := httptest.NewTLSServer(emulator.Handler())
	c.t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	emulator.SetBaseURL(server.URL)
	emulator.PutApplication(essemulator.Application{
		ID: appID, Secrets: []string{appSecret}, AllowedPrincipal: "*", Scopes: []string{"events.topic.read", "expense.report.read"},
	})
	_, err = emulator.PutUserToken(userToken, essemulator.UserToken{
		User: "administrator", CompanyID: company, Roles: []string{essemulator.RoleWebServicesAdministrator},
	})
	c.Expect(err).NotTo(gomega.HaveOccurred())
	return &world{cluster: c, ess: emulator, server: server}
}

// caBundle is the root of Concur's certificate.
func (w *world) caBundle() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.server.Certificate().Raw})
}

// secret makes a Secret.
func (w *world) secret(namespace, name string, data map[string]string) *corev1.Secret {
	w.t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, StringData: data}
	w.create(secret)
	return secret
}

// connect makes the connection "acme" with its Secret, and waits until it is ready.
func (w *world) connect(namespace string, allowed *v1alpha1.AllowedNamespaces) (*v1alpha1.ConcurConnection, *corev1.Secret) {
	w.t.Helper()
	secret := w.secret(namespace, "acme", map[string]string{"client_id": appID, "client_secret": appSecret})
	conn := &v1alpha1.ConcurConnection{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "acme"},
		Spec: v1alpha1.ConcurConnectionSpec{
			BaseURL: w.server.URL, CABundle: w.caBundle(), AllowedNamespaces: allowed,
			CredentialsSecretRef: v1alpha1.ClientCredentialsRef{Name: "acme"},
			RateLimit:            v1alpha1.RateLimit{RequestsPerSecond: 50, Burst: 100},
		},
	}
	w.create(conn)
	w.eventuallyReady(conn, metav1.ConditionTrue, v1alpha1.ConnectedReason)
	return conn, secret
}

// subscription makes an EventSubscription through finance's connection.
func (w *world) subscription(namespace, name string, changes ...func(*v1alpha1.EventSubscriptionSpec)) *v1alpha1.EventSubscription {
	w.t.Helper()
	sub := &v1alpha1.EventSubscription{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.EventSubscriptionSpec{
			ConnectionRef: v1alpha1.ConnectionRef{Name: "acme", Namespace: finance},
			Topic:         topic,
			Endpoint:      v1alpha1.Endpoint{URL: endpoint},
		},
	}
	for _, change := range changes {
		change(&sub.Spec)
	}
	w.create(sub)
	return sub
}

// subscribe is subscription, and waits until it is ready.
func (w *world) subscribe(namespace, name string, changes ...func(*v1alpha1.EventSubscriptionSpec)) *v1alpha1.EventSubscription {
	w.t.Helper()
	sub := w.subscription(namespace, name, changes...)
	w.eventuallyReady(sub, metav1.ConditionTrue, v1alpha1.SubscribedReason)
	return sub
}

// to delivers by way of the receiver to an object.
func to(apiVersion, kind, name string) func(*v1alpha1.EventSubscriptionSpec) {
	return func(s *v1alpha1.EventSubscriptionSpec) {
		s.Endpoint = v1alpha1.Endpoint{Receiver: &v1alpha1.ReceiverEndpoint{}}
		s.Sink = v1alpha1.Sink{Ref: v1alpha1.SinkRef{APIVersion: apiVersion, Kind: kind, Name: name}}
	}
}

// eventuallyReady waits until Ready has this status and reason at the object's generation.
func (c *cluster) eventuallyReady(o client.Object, status metav1.ConditionStatus, reason string) {
	c.t.Helper()
	c.Eventually(func() string {
		c.Expect(c.read(o)).To(gomega.Succeed())
		ready := meta.FindStatusCondition(conditions(o), v1alpha1.ReadyCondition)
		if ready == nil || ready.ObservedGeneration != o.GetGeneration() {
			return "nothing at this generation"
		}
		return string(ready.Status) + " " + ready.Reason
	}).Should(gomega.Equal(string(status)+" "+reason), func() string { return explain(o) })
}

func conditions(o client.Object) []metav1.Condition {
	switch o := o.(type) {
	case *v1alpha1.ConcurConnection:
		return o.Status.Conditions
	case *v1alpha1.EventSubscription:
		return o.Status.Conditions
	case *v1alpha1.ApplicationConnector:
		return o.Status.Conditions
	default:
		return nil
	}
}

// explain tells the conditions of an object, for failures.
func explain(o client.Object) string {
	var text strings.Builder
	text.WriteString(o.GetNamespace() + "/" + o.GetName())
	for _, c := range conditions(o) {
		text.WriteString("\n  " + c.Type + "=" + string(c.Status) + " " + c.Reason + ": " + c.Message)
	}
	return text.String()
}
