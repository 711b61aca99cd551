package operator_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/onsi/gomega"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// trouble is one way in which Concur, or the way to it, goes wrong, and what the objects have to say.
type trouble struct {
	reason  string // why the case must hold
	fault   essemulator.Fault
	want    string   // reason of Ready
	stalled bool     // nobody but a person can help
	final   bool     // nothing is tried again soon, so that recovery needs a request
	says    []string // what the message tells: ESS's words, and what to do
}

// spoken is the body of a refusal. A service that repeats what it was sent must not carry the secret on.
const spoken = `{"error":{"id":"some.fault","message":"the words of ESS about ` + appSecret + `"}}`

// words are what has to be left of spoken.
const words = "the words of ESS about [redacted] (some.fault)"

// refused is a fault that answers a status with ESS's words.
func refused(status int) essemulator.Fault {
	return essemulator.Fault{Status: status, Body: spoken}
}

// slow tells whether each attempt lasts until the client gives up.
func (tr trouble) slow() bool { return tr.fault.Hang }

// annotate asks for a look at ESS through a connection, which status does not acknowledge.
func (w *world) annotate(conn *v1alpha1.ConcurConnection, value string) {
	w.t.Helper()
	w.change(conn, func() {
		metav1.SetMetaDataAnnotation(&conn.ObjectMeta, v1alpha1.ReconcileRequestedAtAnnotation, value)
	})
}

// checkTrouble holds the conditions of an object whose Ready was just read against the case.
func (w *world) checkTrouble(o client.Object, tr trouble) {
	w.t.Helper()
	message := condition(o, v1alpha1.ReadyCondition).Message
	for _, text := range tr.says {
		if !strings.Contains(message, text) {
			w.t.Errorf("the message does not say %q: %s", text, message)
		}
	}
	stalled, reconciling := condition(o, v1alpha1.StalledCondition), condition(o, v1alpha1.ReconcilingCondition)
	if (stalled != nil) != tr.stalled || stalled != nil && stalled.Reason != tr.want {
		w.t.Errorf("stalled must be %v, because %s:%s", tr.stalled, tr.reason, explain(o))
	}
	if (reconciling != nil) == (tr.stalled || tr.final) {
		w.t.Errorf("reconciling must be %v, because %s:%s", !tr.stalled && !tr.final, tr.reason, explain(o))
	}
	w.checkNoSecrets(o)
}

// checkNoSecrets looks for the client secret and for tokens in all that a user can read.
func (w *world) checkNoSecrets(o client.Object) {
	w.t.Helper()
	var events eventsv1.EventList
	w.Expect(suite.client.List(w.t.Context(), &events, client.InNamespace(w.namespace))).To(gomega.Succeed())
	for _, shown := range []any{o, events.Items} {
		text, err := json.Marshal(shown)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, secret := range []string{appSecret, "eyJ", "Bearer "} {
			if strings.Contains(string(text), secret) {
				w.t.Errorf("%q is shown in %s", secret, text)
			}
		}
	}
}

// checkBounded fails when an operation was called more often since start than the back-off allows: the
// n-th wait is at least 0.5 s · 2ⁿ.
func (w *world) checkBounded(tr trouble, operation string, start time.Time) {
	w.t.Helper()
	took := time.Since(start)
	most := tr.callsPerAttempt(operation) * (1 + int(math.Log2(2*took.Seconds()+1)))
	if got := w.calls(operation); len(got) > most {
		w.t.Errorf("%d calls of %s in %v, want at most %d: %v", len(got), operation, took, most, got)
	}
}

// callsPerAttempt is 2 where a refused token, or a connection that the other side has closed, is tried once
// more, and for reads, which come before a PUT and after it.
func (tr trouble) callsPerAttempt(operation string) int {
	if tr.fault.Status == http.StatusUnauthorized || tr.fault.Status == http.StatusForbidden || tr.fault.Reset || operation == essemulator.OpGet {
		return 2
	}
	return 1
}

// checkHeld fails unless ESS holds exactly sub, and sub knows it and nothing of earlier trouble.
func (w *world) checkHeld(sub *v1alpha1.EventSubscription) {
	w.t.Helper()
	held := w.ess.Subscriptions(appID)
	if len(held) != 1 {
		w.t.Fatalf("ESS holds %+v", held)
	}
	want := []string{w.namespace + ".reports", topic, ".*", endpoint}
	if diff := cmp.Diff(want, []string{held[0].ID, held[0].Topic, held[0].Filter, held[0].Endpoint}); diff != "" {
		w.t.Errorf("what ESS holds (-want +got):\n%s", diff)
	}
	if sub.Status.SubscriptionID != held[0].ID || sub.Status.ApplicationID != appID {
		w.t.Errorf("the subscription is not this object's: status is %+v", sub.Status)
	}
	for _, past := range []string{v1alpha1.StalledCondition, v1alpha1.ReconcilingCondition} {
		if c := condition(sub, past); c != nil {
			w.t.Errorf("still %s: %s", past, c.Message)
		}
	}
	if sub.Status.Retry != nil {
		w.t.Errorf("still waiting: %+v", sub.Status.Retry)
	}
}

// checkConnected fails unless CompaniesConnected has this reason.
func (w *world) checkConnected(sub *v1alpha1.EventSubscription, reason string) {
	w.t.Helper()
	if c := condition(sub, v1alpha1.CompaniesConnectedCondition); c == nil || c.Reason != reason {
		w.t.Errorf("CompaniesConnected is %+v, want %s", c, reason)
	}
}

// checkRetryAfter fails when calls of an operation followed one another sooner than Concur asked.
func (w *world) checkRetryAfter(operation string, least time.Duration) {
	w.t.Helper()
	var last time.Time
	for _, r := range w.ess.Requests() {
		if r.Operation != operation {
			continue
		}
		if gap := r.Time.Sub(last); gap < least {
			w.t.Errorf("%s came again after %v, Concur asked for %v", operation, gap, least)
		}
		last = r.Time
	}
}

// failedAgain waits for two more attempts, where they are due soon.
func (w *world) failedAgain(sub *v1alpha1.EventSubscription, tr trouble) {
	w.t.Helper()
	if tr.final || tr.slow() {
		return
	}
	w.Eventually(func() string {
		retry := w.read(sub).Status.Retry
		if retry == nil || retry.Attempts < 3 {
			return fmt.Sprintf("waiting, retry is %+v", retry)
		}
		return condition(sub, v1alpha1.ReadyCondition).Reason
	}).Should(gomega.Equal(tr.want), func() string { return explain(sub) })
	if tr.fault.RetryAfter != "" {
		w.checkRetryAfter(tr.fault.Operation, retryAfter)
	}
}

// retryAfter is what the cases with a Retry-After ask for.
const retryAfter = 3 * time.Second

// runTroubles runs each case in a world of its own.
func runTroubles(t *testing.T, cases map[string]trouble, operation string, play func(*world, trouble)) {
	for name, tr := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr.fault.Operation = operation
			play(newWorld(t), tr)
		})
	}
}
