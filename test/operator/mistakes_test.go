package operator_test

import (
	"testing"

	"github.com/onsi/gomega"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// TestAnotherApplicationByMistake puts the credentials of another application
// into the Secret, and takes them out again.
func TestAnotherApplicationByMistake(t *testing.T) {
	t.Parallel()
	const other = "00000000-0000-4000-8000-00000000000b"
	w := newWorld(t)
	stranger := application(appSecret)
	stranger.ID = other
	w.ess.PutApplication(stranger)
	w.connect()
	sub := w.subscribe("reports", func(s *v1alpha1.EventSubscription) { s.Spec.AdoptionPolicy = v1alpha1.AdoptNever })
	w.becomes(other)
	w.eventuallyReady(sub, "False", v1alpha1.IDTakenReason)
	w.becomes(appID)
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
	w.delete(sub)
	w.Expect(w.ess.Subscriptions(appID)).To(gomega.BeEmpty())
}

// becomes writes another client id into the Secret.
func (w *world) becomes(client string) {
	w.t.Helper()
	secret := w.secret("")
	w.Expect(suite.client.Get(w.t.Context(), clientKey(secret), secret)).To(gomega.Succeed())
	w.change(secret, func() { secret.Data["client_id"] = []byte(client) })
}

func TestReasonFollowsThatOfTheConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connection()
	w.create(conn)
	w.eventuallyReady(conn, "False", v1alpha1.SecretNotFoundReason)
	sub := w.subscription("reports")
	w.create(sub)
	ready := w.eventuallyReady(sub, "False", v1alpha1.ConnectionNotReadyReason)
	w.Expect(ready.Message).To(gomega.ContainSubstring(v1alpha1.SecretNotFoundReason))
	w.create(w.secret("wrong"))
	w.eventuallyReady(conn, "False", v1alpha1.CredentialsRejectedReason)
	w.Eventually(func() string { return condition(w.read(sub), v1alpha1.ReadyCondition).Message }).
		Should(gomega.ContainSubstring(v1alpha1.CredentialsRejectedReason))
}

func TestConnectionOnItsWayOutTakesNoNewcomers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	first := w.subscribe("first")
	w.Expect(suite.client.Delete(t.Context(), conn)).To(gomega.Succeed())
	w.eventuallyReady(conn, "False", v1alpha1.InUseReason)
	second := w.subscription("second")
	w.create(second)
	w.eventuallyReady(second, "False", v1alpha1.ConnectionNotReadyReason)
	w.Expect(w.calls(essemulator.OpPut)).To(gomega.HaveLen(1))
	w.delete(first)
	w.eventuallyGone(conn)
	w.eventuallyReady(second, "False", v1alpha1.ConnectionNotFoundReason)
}
