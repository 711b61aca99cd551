package operator_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// otherAppID is a second application in the same data center.
const otherAppID = "6c1e58a6-3c8b-4a0c-9f5d-0e8a3b9c7d21"

// through makes a subscription use another connection.
func through(name string) func(*v1alpha1.EventSubscription) {
	return func(s *v1alpha1.EventSubscription) { s.Spec.ConnectionRef.Name = name }
}

// connectTwin makes a second connection of the application of "acme".
func (w *world) connectTwin() {
	w.t.Helper()
	twin := w.connection(func(c *v1alpha1.ConcurConnection) { c.Name = "twin" })
	w.create(twin)
	w.eventuallyReady(twin, "True", v1alpha1.ConnectedReason)
}

// connectOther makes a connection of another application.
func (w *world) connectOther() {
	w.t.Helper()
	app := application(appSecret)
	app.ID = otherAppID
	w.ess.PutApplication(app)
	w.create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "other"},
		StringData: map[string]string{"client_id": otherAppID, "client_secret": appSecret},
	})
	other := w.connection(func(c *v1alpha1.ConcurConnection) {
		c.Name = "other"
		c.Spec.CredentialsSecretRef.Name = "other"
	})
	w.create(other)
	w.eventuallyReady(other, "True", v1alpha1.ConnectedReason)
}

// callsBetween are the calls of an application that came after one time and before another.
func (w *world) callsBetween(app string, after, before time.Time) []string {
	lines := []string{}
	for _, r := range w.ess.Requests() {
		if r.ApplicationID == app && r.Time.After(after) && r.Time.Before(before) {
			lines = append(lines, fmt.Sprintf("%s after %v", r, r.Time.Sub(after)))
		}
	}
	return lines
}

// refusedAt is when the first call was answered 429.
func (w *world) refusedAt() time.Time {
	w.t.Helper()
	for _, r := range w.ess.Requests() {
		if r.Status == http.StatusTooManyRequests {
			return r.Time
		}
	}
	w.t.Fatal("no call was answered 429")
	return time.Time{}
}

// limit has the next PUT of the application answered 429, and makes one.
func (w *world) limit(mine *v1alpha1.EventSubscription, retryAfter string) {
	w.t.Helper()
	w.ess.ResetRequests()
	w.ess.InjectFault(essemulator.Fault{Operation: essemulator.OpPut, ApplicationID: appID, Times: 1, Status: 429, RetryAfter: retryAfter})
	w.change(mine, func() { mine.Spec.Filter = "changed" })
}

// eventuallyTold waits until sub says what became of its change, be it done or postponed.
func (w *world) eventuallyTold(sub *v1alpha1.EventSubscription) {
	w.t.Helper()
	w.Eventually(func() string {
		ready := condition(w.read(sub), v1alpha1.ReadyCondition)
		if ready.ObservedGeneration != sub.Generation {
			return "nothing at this generation"
		}
		return ready.Reason
	}).Should(gomega.BeElementOf(v1alpha1.RateLimitedReason, v1alpha1.SubscribedReason))
}

func TestBudgetRetryAfterHoldsTheApplicationAndNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	w.connectTwin()
	w.connectOther()
	mine, theirs := w.subscribe("mine"), w.subscribe("theirs", through("other"))
	ready := *condition(conn, v1alpha1.ReadyCondition)

	w.limit(mine, "3600") // longer than any machine takes for what follows
	w.eventuallyReady(mine, "False", v1alpha1.RateLimitedReason)
	w.annotate(conn, "now")
	twins := w.subscription("twins", through("twin"))
	w.create(twins)
	message := w.eventuallyReady(twins, "False", v1alpha1.RateLimitedReason).Message
	if !strings.Contains(message, "asked to be left alone") {
		t.Errorf("the object of the other connection says %q", message)
	}
	w.change(theirs, func() { theirs.Spec.Filter = "changed" })
	w.eventuallyReady(theirs, "True", v1alpha1.SubscribedReason)

	begin := w.refusedAt()
	w.Expect(w.callsBetween(appID, begin, time.Now())).To(gomega.BeEmpty())
	w.Expect(w.callsBetween(otherAppID, begin, time.Now())).NotTo(gomega.BeEmpty(), "the other application goes on")
	w.eventuallyReady(conn, "True", v1alpha1.ConnectedReason)
	if now := condition(conn, v1alpha1.ReadyCondition); *now != ready {
		t.Errorf("Ready of the connection flapped: %+v was %+v", now, ready)
	}
}

func TestBudgetRetryAfterEnds(t *testing.T) {
	t.Parallel()
	const hold = 10 * time.Second
	cases := map[string]struct {
		reason string
		value  func() (header string, date time.Time) // zero: no date, but a time from the refusal
	}{
		"Seconds": {"the usual form", func() (string, time.Time) { return fmt.Sprint(hold.Seconds()), time.Time{} }},
		"Date": {"the other form of HTTP, in whole seconds", func() (string, time.Time) {
			date := time.Now().Add(hold).Truncate(time.Second)
			return date.UTC().Format(http.TimeFormat), date
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			conn := w.connect()
			w.connectTwin()
			mine := w.subscribe("mine")
			ready := *condition(conn, v1alpha1.ReadyCondition)

			header, end := tc.value()
			w.limit(mine, header)
			w.eventuallyTold(mine)  // until then the operator cannot know that it should be quiet
			w.annotate(conn, "now") // a listing that falls into the hold is postponed
			twins := w.subscription("twins", through("twin"))
			w.create(twins)
			w.eventuallyReady(mine, "True", v1alpha1.SubscribedReason)
			w.eventuallyReady(twins, "True", v1alpha1.SubscribedReason)
			begin := w.refusedAt()
			if end.IsZero() {
				end = begin.Add(hold)
			}
			w.Expect(w.callsBetween(appID, begin, end)).To(gomega.BeEmpty(), tc.reason)
			w.Eventually(func() []string { return w.calls(essemulator.OpList) }).ShouldNot(gomega.BeEmpty(), "the postponed listing is made in the end")
			w.eventuallyReady(conn, "True", v1alpha1.ConnectedReason)
			if now := condition(conn, v1alpha1.ReadyCondition); *now != ready {
				t.Errorf("Ready of the connection flapped: %+v was %+v", now, ready)
			}
		})
	}
}

func TestBudgetIsSharedByConnections(t *testing.T) {
	t.Parallel()
	const perSecond, burst = 3, 3
	w := newWorld(t, func(a *essemulator.Assumptions) { a.SubscriptionLimit = 6 })
	w.connect(func(c *v1alpha1.ConcurConnection) {
		c.Spec.RateLimit = v1alpha1.RateLimit{RequestsPerSecond: perSecond, Burst: burst}
	})
	w.connectTwin() // its own limit is higher; the lower one counts
	w.ess.ResetRequests()
	start := time.Now()
	var subs []*v1alpha1.EventSubscription
	for i := range 4 {
		subs = append(subs, w.subscription(fmt.Sprint("s", i), through([]string{"acme", "twin"}[i%2])))
		w.create(subs[i])
	}
	for _, sub := range subs {
		w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
	}
	calls := w.ess.Requests()
	w.Expect(len(calls)).To(gomega.BeNumerically(">=", 3*len(subs)), "GET, PUT and GET for each")
	for n := range calls {
		// A call is noted after its turn, so that two of them may seem closer than their turns were. None seems
		// closer to what came before all turns.
		span := calls[n].Time.Sub(start)
		if got, most := n+1, burst+span.Seconds()*perSecond; float64(got) > most {
			t.Fatalf("%d calls within %v, at most %.1f are allowed", got, span, most)
		}
	}
}
