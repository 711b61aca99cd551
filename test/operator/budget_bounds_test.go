package operator_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// attempts is how many attempts a back-off allows within a time: the n-th wait is at least 0.5 s · 2ⁿ.
func attempts(within time.Duration) int {
	return 1 + int(math.Ceil(math.Log2(2*within.Seconds()+1)))
}

// outage is trouble that meets five objects at once, after each was changed.
type outage struct {
	reason string
	faults []essemulator.Fault
	revoke bool   // the tokens, so that new ones are needed
	want   string // reason of the objects
	probe  string // the only operation that is called once all objects say so; empty: they go on by themselves
	// most is how many calls may be made within a time, by operation. What is not named may not be called.
	most func(within time.Duration) map[string]int
}

const objects = 5

// outages are those of the connection, where objects try by themselves only until the connection has looked,
// and those of single operations.
var outages = map[string]outage{
	"TokenServiceDown": {
		reason: "a token that is refused is fetched once; then only the connection's probe asks for one",
		faults: []essemulator.Fault{{Operation: essemulator.OpToken, Status: 503}}, revoke: true,
		want: v1alpha1.ConnectionNotReadyReason, probe: essemulator.OpToken,
		most: func(within time.Duration) map[string]int {
			return map[string]int{essemulator.OpGet: objects, essemulator.OpList: 1, essemulator.OpToken: (objects + 1) * attempts(within)}
		},
	},
	"ESSDown": {
		reason: "whoever meets it makes the connection look; then only the probe calls",
		faults: []essemulator.Fault{{Status: 503}},
		want:   v1alpha1.ConnectionNotReadyReason, probe: essemulator.OpList,
		most: func(within time.Duration) map[string]int {
			return map[string]int{essemulator.OpGet: objects * attempts(within), essemulator.OpList: attempts(within)}
		},
	},
	"ESSCutsConnections": {
		reason: "likewise, but a request on a connection that was idle is sent once more by the transport",
		faults: []essemulator.Fault{{Reset: true}},
		want:   v1alpha1.ConnectionNotReadyReason, probe: essemulator.OpList,
		most: func(within time.Duration) map[string]int {
			return map[string]int{essemulator.OpGet: 2 * objects * attempts(within), essemulator.OpList: 2 * attempts(within)}
		},
	},
	"TooManyRequestsOnEverything": {
		reason: "the objects back off each by itself: being asked to slow down does not make the connection look",
		faults: []essemulator.Fault{{Status: 429}},
		want:   v1alpha1.RateLimitedReason,
		most: func(within time.Duration) map[string]int {
			return map[string]int{essemulator.OpGet: objects * attempts(within)}
		},
	},
	"TooManyRequestsOnWrites": {
		reason: "each attempt is a read and a write",
		faults: []essemulator.Fault{{Operation: essemulator.OpPut, Status: 429}},
		want:   v1alpha1.RateLimitedReason,
		most: func(within time.Duration) map[string]int {
			return map[string]int{essemulator.OpGet: objects * attempts(within), essemulator.OpPut: objects * attempts(within)}
		},
	},
	"WritesFail": {
		reason: "a server error may be everybody's, so that each attempt may make the connection look; it goes on working",
		faults: []essemulator.Fault{{Operation: essemulator.OpPut, Status: 500}},
		want:   v1alpha1.UnavailableReason,
		most: func(within time.Duration) map[string]int {
			n := objects * attempts(within)
			return map[string]int{essemulator.OpGet: n, essemulator.OpPut: n, essemulator.OpList: n}
		},
	},
	"WritesRefused": {
		reason: "nothing but a person can help, so that each is tried once",
		faults: []essemulator.Fault{{Operation: essemulator.OpPut, Status: 400}},
		want:   v1alpha1.RejectedReason,
		most: func(time.Duration) map[string]int {
			return map[string]int{essemulator.OpGet: objects, essemulator.OpPut: objects}
		},
	},
}

func TestBudgetOfTroubleIsBounded(t *testing.T) {
	t.Parallel()
	for name, tc := range outages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.connect()
			var subs []*v1alpha1.EventSubscription
			for i := range objects {
				subs = append(subs, w.subscribe(fmt.Sprint("s", i)))
			}
			start := w.strike(tc, subs)
			known := w.besides(tc.probe)
			w.Consistently(func() error {
				if now := w.besides(tc.probe); tc.probe != "" && now > known {
					return fmt.Errorf("%d calls besides the probe", now-known)
				}
				return w.withinBounds(tc, time.Since(start))
			}, "4s").Should(gomega.Succeed(), tc.reason)
			w.ess.ClearFaults()
			for _, sub := range subs {
				if tc.want == v1alpha1.RejectedReason {
					w.request(sub, "mended")
				}
				w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
			}
			for _, held := range w.ess.Subscriptions(appID) {
				w.Expect(held.Filter).To(gomega.Equal("changed"))
			}
			w.Expect(w.ess.Subscriptions(appID)).To(gomega.HaveLen(objects))
		})
	}
}

// strike lets the outage begin, changes all objects, and waits until each says what it should.
func (w *world) strike(tc outage, subs []*v1alpha1.EventSubscription) (start time.Time) {
	w.t.Helper()
	for _, f := range tc.faults {
		w.ess.InjectFault(f)
	}
	if tc.revoke {
		w.ess.RevokeTokens(appID)
	}
	w.ess.ResetRequests()
	start = time.Now()
	for _, sub := range subs {
		w.change(sub, func() { sub.Spec.Filter = "changed" })
	}
	for _, sub := range subs {
		w.eventuallyReady(sub, "False", tc.want)
	}
	return start
}

// besides counts the calls of all operations but one.
func (w *world) besides(operation string) int {
	n := 0
	for _, r := range w.ess.Requests() {
		if r.Operation != operation {
			n++
		}
	}
	return n
}

// withinBounds counts the calls so far.
func (w *world) withinBounds(tc outage, within time.Duration) error {
	most, counts := tc.most(within), map[string]int{}
	for _, r := range w.ess.Requests() {
		counts[r.Operation]++
	}
	for operation, n := range counts {
		if n > most[operation] {
			return fmt.Errorf("%d calls of %s within %v, at most %d are allowed", n, operation, within, most[operation])
		}
	}
	return nil
}

// TestBudgetBrokenConnectionIsToldOnce holds that dependents of a connection that fails say so once, and wait,
// deletions included, while the connection goes on probing.
func TestBudgetBrokenConnectionIsToldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	stays, goes := w.subscribe("stays"), w.subscribe("goes")
	w.ess.InjectFault(essemulator.Fault{Status: 503})
	w.annotate(conn, "now")
	w.eventuallyReady(conn, "False", v1alpha1.UnavailableReason)
	w.eventuallyReady(stays, "False", v1alpha1.ConnectionNotReadyReason)
	w.eventuallyReady(goes, "False", v1alpha1.ConnectionNotReadyReason)
	version := stays.ResourceVersion

	w.Expect(suite.client.Delete(t.Context(), goes)).To(gomega.Succeed())
	w.ess.ResetRequests()
	w.Eventually(func() int { return len(w.calls(essemulator.OpList)) }).Should(gomega.BeNumerically(">=", 2), "the probe goes on")
	w.eventuallyReady(goes, "False", v1alpha1.ConnectionNotReadyReason)
	w.Expect(w.calls(essemulator.OpDelete, essemulator.OpGet, essemulator.OpPut)).To(gomega.BeEmpty())
	w.Expect(w.read(stays).ResourceVersion).To(gomega.Equal(version), "nothing new was there to say")

	w.ess.ClearFaults()
	w.eventuallyGone(goes)
	w.eventuallyReady(stays, "True", v1alpha1.SubscribedReason)
	w.Expect(w.calls(essemulator.OpDelete)).To(gomega.HaveLen(1))
	w.Expect(client.IgnoreNotFound(suite.client.Get(t.Context(), clientKey(goes), goes))).To(gomega.Succeed())
}
