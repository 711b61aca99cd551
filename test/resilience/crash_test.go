package resilience_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// scenario is something that a user does, and that takes the manager several writes.
type scenario struct {
	reason string
	// prepare settles, with a manager running, what is there before.
	prepare func(w *world)
	// act is what the user does; it does not wait.
	act func(w *world)
	// settled waits until the manager that runs has done its work.
	settled func(w *world)
	// held is what ESS holds in the end.
	held []string
	// puts and deletes are how many calls act is worth. A DELETE may be
	// repeated after a crash, because the memory of it is lost; a PUT may not.
	puts, deletes int
	// spared is a write that a play may do without, because what it tells may have become untrue before it was
	// told; over reports that the play has come to its end without it.
	spared string
	over   func(w *world) bool
}

func connected(w *world) { w.connect() }

func subscribed(w *world) {
	w.connect()
	w.subscribe("reports")
	w.settleUsage(1)
}

// reports is the object that scenarios are about.
func (w *world) reports() *v1alpha1.EventSubscription {
	return &v1alpha1.EventSubscription{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "reports"}}
}

func (w *world) acme() *v1alpha1.ConcurConnection {
	return &v1alpha1.ConcurConnection{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "acme"}}
}

// settleUsage waits until the connection shows that all of so many subscriptions at ESS belong to objects.
func (w *world) settleUsage(used int32) {
	w.t.Helper()
	w.Eventually(func() *v1alpha1.SubscriptionUsage {
		conn := w.acme()
		w.Expect(w.read(conn)).To(gomega.Succeed())
		return conn.Status.Subscriptions
	}).Should(gomega.Equal(&v1alpha1.SubscriptionUsage{Used: used, Limit: 5, Managed: used, Usage: fmt.Sprintf("%d/5", used)}))
}

func readyWithOne(w *world) {
	w.t.Helper()
	w.eventuallySubscribed(w.reports())
	w.settleUsage(1)
}

var scenarios = map[string]scenario{
	"Connect": {
		reason:  "a connection that was half set up must end up as any other",
		prepare: func(*world) {},
		act:     func(w *world) { w.connection() },
		settled: func(w *world) {
			w.eventuallyReady(w.acme(), metav1.ConditionTrue, v1alpha1.ConnectedReason)
			w.settleUsage(0)
		},
	},
	"Create": {
		reason:  "what the operator made must be known as its own, even to an object that adopts nothing",
		prepare: connected,
		act: func(w *world) {
			w.subscription("reports", func(s *v1alpha1.EventSubscription) { s.Spec.AdoptionPolicy = v1alpha1.AdoptNever })
		},
		settled: readyWithOne,
		held:    []string{"reports .*"}, puts: 1,
	},
	"TakeOver": {
		reason: "an adoption that overwrites must not be forgotten half way",
		prepare: func(w *world) {
			w.foreign("theirs")
			w.connect()
		},
		act: func(w *world) {
			w.subscription("reports", func(s *v1alpha1.EventSubscription) { s.Spec.AdoptionPolicy = v1alpha1.AdoptAlways })
		},
		settled: readyWithOne,
		held:    []string{"reports .*"}, puts: 1,
	},
	"Lost": {
		reason: "what ESS lost is made again once, and status must not forget that the companies have to reconnect",
		prepare: func(w *world) {
			subscribed(w)
			w.Expect(w.ess.ConnectCompany(appID, company)).To(gomega.Succeed())
			w.request(w.reports(), "now")
		},
		act: func(w *world) {
			w.ess.RemoveSubscription(w.namespace + ".reports")
			w.poke(w.acme(), "now")
		},
		settled: func(w *world) {
			w.Eventually(func() string {
				sub := w.reports()
				w.Expect(w.read(sub)).To(gomega.Succeed())
				return condition(sub, v1alpha1.CompaniesConnectedCondition).Reason
			}).Should(gomega.Equal(v1alpha1.LostReason))
			readyWithOne(w)
		},
		held: []string{"reports .*"}, puts: 1,
	},
	"Edit": {
		reason:  "an edit must be written once and be confirmed",
		prepare: subscribed,
		act: func(w *world) {
			sub := w.reports()
			w.change(sub, func() { sub.Spec.Filter = "reportCreated" })
		},
		settled: readyWithOne,
		held:    []string{"reports reportCreated"}, puts: 1,
	},
	"Delete": {
		reason:  "a deletion must end, and leave nothing at ESS",
		prepare: subscribed,
		act:     func(w *world) { w.delete(w.reports()) },
		settled: func(w *world) {
			w.eventuallyForgotten(w.reports())
			w.settleUsage(0)
		},
		deletes: 1,
	},
	"DeleteAll": {
		reason:  "a connection that goes with its objects must wait for them, and then go",
		prepare: subscribed,
		act: func(w *world) {
			w.delete(w.acme())
			w.delete(w.reports())
		},
		settled: func(w *world) {
			w.eventuallyForgotten(w.reports())
			w.eventuallyGone(w.acme())
		},
		deletes: 1,
		spared:  "PATCH concurconnections/acme/status", // that it waits for its object
		over:    func(w *world) bool { return apierrors.IsNotFound(w.read(w.acme())) },
	},
}

// foreign makes a subscription of the id of "reports" behind the back of its object.
func (w *world) foreign(filter string) {
	w.ess.PutSubscription(essemulator.Subscription{
		ID: w.namespace + ".reports", ApplicationID: appID, Topic: topic, Filter: filter, Endpoint: endpoint,
	})
}

// TestCrashes kills the manager before and after each write of each scenario;
// another manager then has to bring it to the same end.
func TestCrashes(t *testing.T) {
	t.Parallel()
	for name, sc := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			writes := sc.undisturbed(t)
			for _, point := range points(writes) {
				t.Run(strings.ReplaceAll(point.String(), "/", "."), func(t *testing.T) {
					t.Parallel()
					sc.crash(t, point)
				})
			}
		})
	}
}

// points are the places before and after each write.
func points(writes []string) []crashPoint {
	var all []crashPoint
	seen := map[string]int{}
	for _, write := range writes {
		seen[write]++
		all = append(all,
			crashPoint{Write: write, Occurrence: seen[write]},
			crashPoint{Write: write, Occurrence: seen[write], After: true})
	}
	return all
}

// undisturbed plays the scenario with one manager, and returns the writes it took.
func (sc scenario) undisturbed(t *testing.T) []string {
	w := newFrozenWorld(t, suite)
	manager := w.start()
	sc.prepare(w)
	before := len(manager.settled())
	w.ess.ResetRequests()
	sc.act(w)
	sc.settled(w)
	sc.verify(w)
	w.Consistently(func() int { return w.count(essemulator.OpDelete) }, quiet).Should(gomega.Equal(sc.deletes))
	writes := manager.settled()[before:]
	t.Logf("writes: %s", strings.Join(writes, ", "))
	if len(writes) == 0 {
		t.Fatal("the scenario takes no write, so that no crash is tried")
	}
	return writes
}

// crash plays the scenario with a manager that dies at point, and another after it.
func (sc scenario) crash(t *testing.T, point crashPoint) {
	w := newFrozenWorld(t, suite)
	first := w.start()
	sc.prepare(w)
	first.arm(point)
	w.ess.ResetRequests()
	sc.act(w)
	if sc.deletes > 0 {
		w.forgetFor(first, w.reports())
	}
	sc.dies(w, first, point)
	w.start()
	sc.settled(w)
	sc.verify(w)
	if n := w.count(essemulator.OpDelete); n > sc.deletes+1 {
		t.Errorf("%d DELETEs, want at most one more than %d: %s", n, sc.deletes, sc.reason)
	}
	if len(sc.held) > 0 {
		w.request(w.reports(), "read again")
		readyWithOne(w)
		sc.verify(w)
	}
}

// dies waits until the manager has died at point. Where a play does without the write in question, the manager dies
// at its end, so that the next one still has to find everything done.
func (sc scenario) dies(w *world, manager *process, point crashPoint) {
	w.t.Helper()
	if point.Write == sc.spared {
		w.Eventually(func() bool { return manager.gone() || sc.over(w) }).Should(gomega.BeTrue())
		manager.kill()
		return
	}
	manager.dies()
}

// verify holds ESS against what the scenario ends with.
func (sc scenario) verify(w *world) {
	w.t.Helper()
	want := append([]string{}, sc.held...)
	if diff := cmp.Diff(want, w.held()); diff != "" {
		w.t.Errorf("at ESS (-want +got):\n%s%s", diff, sc.reason)
	}
	if n := w.count(essemulator.OpPut); n != sc.puts {
		w.t.Errorf("%d PUTs, want %d: %s; calls: %q", n, sc.puts, sc.reason, w.calls(essemulator.OpPut, essemulator.OpGet, essemulator.OpDelete))
	}
}
