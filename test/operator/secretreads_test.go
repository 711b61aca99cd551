package operator_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/test/privileges/audit"
)

// secretReads is how often the manager has read Secrets of the world's namespace from the API server.
func (w *world) secretReads() int {
	w.t.Helper()
	requests, err := audit.Read(suite.plane.AuditLog, managerAccount)
	if err != nil {
		w.t.Fatal(err)
	}
	reads := 0
	for _, r := range requests {
		if r.Verb == "get" && r.Resource == "secrets" && r.Namespace == w.namespace {
			reads++
		}
	}
	return reads
}

func TestSecretIsReadOnceForEachVersionOfIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	w.subscribe("reports")
	if w.secretReads() == 0 {
		t.Fatal("the manager is connected, and nothing in the audit log says that it read the credentials")
	}
	// The cache may learn of the Secret later than the API server gave it out.
	resyncs := 0
	readsOfAResync := func() int {
		before := w.secretReads()
		resyncs++
		w.resync(conn, fmt.Sprint("resync ", resyncs))
		return w.secretReads() - before
	}
	w.Eventually(readsOfAResync).WithPolling(time.Second).Should(gomega.BeZero(), "nothing about the Secret changed")
	for range 3 {
		w.Expect(readsOfAResync()).To(gomega.BeZero(), "nothing about the Secret changed")
	}

	before := w.secretReads()
	secret := w.secret("")
	w.Expect(suite.client.Get(t.Context(), clientKey(secret), secret)).To(gomega.Succeed())
	w.change(secret, func() { metav1.SetMetaDataLabel(&secret.ObjectMeta, "touched", "yes") })
	w.Eventually(w.secretReads).WithPolling(time.Second).Should(gomega.Equal(before+1), "metadata does not tell whether the values are the same")

	w.change(conn, func() { conn.Spec.CredentialsSecretRef.ClientIDKey = "id" })
	w.eventuallyReady(conn, metav1.ConditionFalse, v1alpha1.SecretInvalidReason)
	w.change(secret, func() { secret.StringData = map[string]string{"id": appID} })
	w.eventuallyReady(conn, metav1.ConditionTrue, v1alpha1.ConnectedReason)
}

func TestSecretThatIsMadeAgainIsReadAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	w.delete(w.secret(""))
	w.eventuallyReady(conn, metav1.ConditionFalse, v1alpha1.SecretNotFoundReason)
	w.create(w.secret("wrong"))
	w.eventuallyReady(conn, metav1.ConditionFalse, v1alpha1.CredentialsRejectedReason)
}
