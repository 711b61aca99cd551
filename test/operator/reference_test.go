package operator_test

import (
	"strings"
	"testing"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

func TestTopicNotAllowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	sub := w.subscription("reports", func(s *v1alpha1.EventSubscription) { s.Spec.Topic = "public.concur.travel.itinerary" })
	w.create(sub)
	ready := w.eventuallyReady(sub, "False", v1alpha1.TopicNotAllowedReason)
	if condition(sub, v1alpha1.StalledCondition) == nil || !strings.Contains(ready.Message, topic) {
		t.Errorf("not stalled, or the allowed topics are not named: %s", explain(sub))
	}
	w.Expect(w.calls(writesAndReads...)).To(gomega.BeEmpty())

	app := application(appSecret)
	app.Scopes = append(app.Scopes, "travel.itinerary.read")
	w.ess.PutApplication(app)
	w.ess.RevokeTokens(appID)
	w.change(conn, func() {
		metav1.SetMetaDataAnnotation(&conn.ObjectMeta, v1alpha1.ReconcileRequestedAtAnnotation, "now")
	})
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
}

func TestQuotaExceeded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect(func(c *v1alpha1.ConcurConnection) { c.Spec.MaxSubscriptions = 1 })
	first := w.subscribe("first")
	second := w.subscription("second")
	w.create(second)
	ready := w.eventuallyReady(second, "False", v1alpha1.QuotaExceededReason)
	if !strings.Contains(ready.Message, "at most 1") {
		t.Errorf("the message does not name the limit: %s", ready.Message)
	}
	w.Expect(w.calls(essemulator.OpPut)).To(gomega.HaveLen(1))
	w.delete(first)
	w.eventuallyReady(second, "True", v1alpha1.SubscribedReason)
}

func TestConnectionMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sub := w.subscription("reports")
	w.create(sub)
	w.eventuallyReady(sub, "False", v1alpha1.ConnectionNotFoundReason)
	w.connect()
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
}

func TestConnectionNotReadyAndSuspended(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connection()
	w.create(conn) // its Secret is missing
	sub := w.subscription("reports")
	w.create(sub)
	w.eventuallyReady(conn, "False", v1alpha1.SecretNotFoundReason)
	w.eventuallyReady(sub, "False", v1alpha1.ConnectionNotReadyReason)
	w.Expect(w.ess.Requests()).To(gomega.BeEmpty())

	w.create(w.secret(appSecret))
	w.eventuallyReady(conn, "True", v1alpha1.ConnectedReason)
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)

	w.change(conn, func() { conn.Spec.Suspend = true })
	w.eventuallyReady(conn, "False", v1alpha1.SuspendedReason)
	w.ess.ResetRequests()
	w.change(sub, func() { sub.Spec.Filter = "later" })
	w.eventuallyReady(sub, "False", v1alpha1.ConnectionNotReadyReason)
	w.Expect(w.ess.Requests()).To(gomega.BeEmpty())

	w.change(conn, func() { conn.Spec.Suspend = false })
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
	w.Expect(w.ess.Subscriptions(appID)[0].Filter).To(gomega.Equal("later"))
}

func TestConsentOfTheConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	guest := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "t-guest-"}}
	w.create(guest)
	sub := w.subscription("reports", func(s *v1alpha1.EventSubscription) {
		s.Namespace = guest.Name
		s.Spec.ConnectionRef.Namespace = w.namespace
	})
	w.create(sub)
	ready := w.eventuallyReady(sub, "False", v1alpha1.ConnectionNotAllowedReason)
	if condition(sub, v1alpha1.StalledCondition) == nil || !strings.Contains(ready.Message, "allowedNamespaces") {
		t.Errorf("not stalled, or no advice: %s", explain(sub))
	}
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"concur": guest.Name}}
	w.change(conn, func() {
		conn.Spec.AllowedNamespaces = &v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesFromSelector, Selector: selector}
	})
	w.eventuallyReady(conn, "True", v1alpha1.ConnectedReason)
	w.eventuallyReady(sub, "False", v1alpha1.ConnectionNotAllowedReason)
	w.change(guest, func() { guest.Labels["concur"] = guest.Name })
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
	w.delete(sub)
}

func TestSecretMissingKeyThenWrongThenRight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret := w.secret("wrong")
	delete(secret.StringData, "client_secret")
	w.create(secret)
	conn := w.connection()
	w.create(conn)
	ready := w.eventuallyReady(conn, "False", v1alpha1.SecretInvalidReason)
	if !strings.Contains(ready.Message, `"client_secret"`) {
		t.Errorf("the missing key is not named: %s", ready.Message)
	}
	w.change(secret, func() { secret.StringData = map[string]string{"client_secret": "wrong"} })
	ready = w.eventuallyReady(conn, "False", v1alpha1.CredentialsRejectedReason)
	if condition(conn, v1alpha1.StalledCondition) == nil || strings.Contains(ready.Message, "client_secret=") {
		t.Errorf("not stalled, or too talkative: %s", explain(conn))
	}
	w.change(secret, func() { secret.StringData = map[string]string{"client_secret": appSecret} })
	w.eventuallyReady(conn, "True", v1alpha1.ConnectedReason)
}

func TestRotatedSecretActsWithoutAPut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	sub := w.subscribe("reports")
	w.ess.PutApplication(application("rotated"))
	w.ess.RevokeTokens(appID)
	w.ess.ResetRequests()
	secret := w.secret(appSecret)
	w.Expect(suite.client.Get(t.Context(), clientKey(secret), secret)).To(gomega.Succeed())
	w.change(secret, func() { secret.StringData = map[string]string{"client_secret": "rotated"} })
	w.Eventually(func() []string { return w.calls(essemulator.OpToken, essemulator.OpList) }).
		Should(gomega.Equal([]string{"POST token 200", "GET list 200"}))
	w.eventuallyReady(conn, "True", v1alpha1.ConnectedReason)
	w.request(sub, "now")
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
	w.Expect(w.calls(essemulator.OpPut)).To(gomega.BeEmpty())
}

func TestReceiverEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect()
	sub := w.subscribe("reports", func(s *v1alpha1.EventSubscription) {
		s.Spec.Endpoint = v1alpha1.Endpoint{Receiver: &v1alpha1.ReceiverEndpoint{}}
	})
	w.Expect(sub.Status.Endpoint).To(gomega.Equal(receiverURL + "/events/" + w.namespace + "/reports"))
	w.Expect(w.ess.Subscriptions(appID)[0].Endpoint).To(gomega.Equal(sub.Status.Endpoint))
}
