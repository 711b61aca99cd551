package resilience_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// orphans counts the subscriptions that were left at ESS.
const orphans = "ess_operator_orphaned_subscriptions_total"

// down makes ESS, and the token service, answer 503 until the fault is cleared.
func (w *world) down() {
	w.ess.InjectFault(essemulator.Fault{Status: http.StatusServiceUnavailable})
}

func (w *world) ownNamespace() *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
}

// TestNamespaceGoes deletes a namespace with Secret, connection and subscriptions at once.
func TestNamespaceGoes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		// trouble comes before the deletion; help comes when the objects hang.
		trouble, help func(w *world)
	}{
		"ESSUp": {
			reason:  "the credentials are kept in memory when the Secret goes first",
			trouble: func(*world) {}, help: func(*world) {},
		},
		"ESSDownComesBack": {
			reason:  "an outage delays, and loses nothing",
			trouble: func(w *world) { w.down() },
			help:    func(w *world) { w.ess.ClearFaults() },
		},
		"ESSSlow": {
			reason: "slow answers are waited for",
			trouble: func(w *world) {
				w.ess.InjectFault(essemulator.Fault{Operation: essemulator.OpDelete, Delay: 2 * time.Second})
				w.ess.InjectFault(essemulator.Fault{Operation: essemulator.OpList, Delay: time.Second})
			},
			help: func(*world) {},
		},
		"TokensRevoked": {
			reason:  "a new token is had without the Secret",
			trouble: func(w *world) { w.ess.RevokeTokens(appID) }, help: func(*world) {},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, suite)
			manager := w.start()
			w.connect()
			w.subscribe("one")
			w.subscribe("two")
			w.settleUsage(2)
			tc.trouble(w)
			w.delete(w.ownNamespace())
			w.Eventually(func() int { return w.count(essemulator.OpDelete) }).Should(gomega.BeNumerically(">", 0))
			tc.help(w)
			w.eventuallyGone(w.ownNamespace())
			w.Expect(w.held()).To(gomega.BeEmpty(), tc.reason)
			w.Expect(manager.tell("counter " + orphans)).To(gomega.Equal("0"))
		})
	}
}

// TestNamespaceGoesThoughTheManagerIsKilled kills the manager around the writes
// of a namespace's deletion. The Secret is gone by then, so that the next one
// may have nothing to delete with: then it gives up, and says what it left.
func TestNamespaceGoesThoughTheManagerIsKilled(t *testing.T) {
	t.Parallel()
	for _, write := range []string{
		"PATCH concurconnections/acme/status", "DELETE one", "PATCH eventsubscriptions/one/status",
		"PATCH eventsubscriptions/one", "DELETE two", "PATCH concurconnections/acme",
	} {
		for _, point := range points([]string{write}) {
			t.Run(strings.ReplaceAll(point.String(), "/", "."), func(t *testing.T) {
				t.Parallel()
				killedInANamespace(t, point)
			})
		}
	}
}

func killedInANamespace(t *testing.T, point crashPoint) {
	w := newFrozenWorld(t, suite)
	first := w.start()
	w.connect()
	subs := []*v1alpha1.EventSubscription{w.subscribe("one"), w.subscribe("two")}
	w.settleUsage(2)
	first.arm(point)
	w.delete(w.ownNamespace())
	w.forgetFor(first, subs...)
	first.dies()
	w.eventuallyGone(w.secret())
	second := w.start()
	w.Eventually(func() bool {
		for _, sub := range subs {
			if w.read(sub) != nil {
				continue
			}
			// What only a manager without credentials says.
			if ready := condition(sub, v1alpha1.ReadyCondition); !strings.Contains(ready.Message, "no usable credentials") {
				return false
			}
		}
		return true
	}).Should(gomega.BeTrue(), "each object is gone, or says what it waits for")
	second.step(10 * time.Minute)
	for _, sub := range subs {
		w.pokeIfThere(sub)
	}
	w.eventuallyGone(w.ownNamespace())
	w.expectOrphansLogged(second)
}

// pokeIfThere asks for a reconcile of an object that may go at any time.
func (w *world) pokeIfThere(sub *v1alpha1.EventSubscription) {
	w.t.Helper()
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:"later"}}}`, v1alpha1.ReconcileRequestedAtAnnotation)
	err := w.plane.client.Patch(w.t.Context(), sub, client.RawPatch(types.MergePatchType, patch))
	w.Expect(client.IgnoreNotFound(err)).To(gomega.Succeed())
}

// expectOrphansLogged holds what a manager counted and logged to what is left
// at ESS. It may name more than that: a deletion that ESS accepted before the
// credentials were lost cannot be seen to have come true.
func (w *world) expectOrphansLogged(manager *process) {
	w.t.Helper()
	w.Eventually(func() error { // the log comes by another way than the answers
		counted, lines := manager.tell("counter "+orphans), named(manager.logged())
		if counted != strconv.Itoa(len(lines)) {
			return fmt.Errorf("%s are counted, and the log names %q", counted, lines)
		}
		return nil
	}).Should(gomega.Succeed())
	w.expectNamed(manager)
}

// leaving is the log line that names what is left.
const leaving = "leaving a subscription behind at ESS"

// expectNamed holds what a manager logged to what is left at ESS.
func (w *world) expectNamed(manager *process) {
	w.t.Helper()
	lines := named(manager.logged())
	for _, held := range w.held() {
		id := w.namespace + "." + strings.Fields(held)[0]
		if !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, id) }) {
			w.t.Errorf("the log does not name %s, which was left at ESS; it names %q", id, lines)
		}
	}
}

// named is what the log says to be left at ESS, once each: it is said again
// when the object could not be let go at the first attempt.
func named(log string) []string {
	var lines []string
	for line := range strings.Lines(log) {
		if _, orphan, ok := strings.Cut(line, "orphan="); ok && strings.Contains(line, leaving) {
			lines = append(lines, orphan)
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// TestDeletionGivesUp deletes an object that cannot be deleted at ESS.
func TestDeletionGivesUp(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason     string
		trouble    func(w *world)
		connection string // the reason why the connection is not ready
		patience   time.Duration
	}{
		"SecretGoneBeforeARestart": {
			reason:     "only a person can bring the credentials back, and an object must not block for ever",
			trouble:    func(w *world) { w.delete(w.secret()) },
			connection: v1alpha1.SecretNotFoundReason,
			patience:   10 * time.Minute,
		},
		"ESSDownForADay": {
			reason:     "outages are waited for, though not for ever",
			trouble:    func(w *world) { w.down() },
			connection: v1alpha1.UnavailableReason,
			patience:   24 * time.Hour,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, suite)
			first := w.start()
			w.connect()
			sub := w.subscribe("reports")
			first.kill()
			tc.trouble(w)
			second := w.start()
			w.eventuallyReady(w.acme(), metav1.ConditionFalse, tc.connection)
			w.delete(sub)
			w.eventuallyReady(sub, metav1.ConditionFalse, v1alpha1.ConnectionNotReadyReason)

			second.step(tc.patience - 20*time.Second) // more than the next look takes
			w.poke(sub, "not yet")
			w.Consistently(func() error { return w.read(sub) }, quiet).Should(gomega.Succeed(), "it gave up too early")
			w.eventuallyGone(sub) // nothing but time is needed
			w.Expect(w.held()).To(gomega.Equal([]string{"reports .*"}))
			w.expectOrphansLogged(second)
			w.expectOrphanedEvent(w.namespace + ".reports")
		})
	}
}

// TestWhatIsLeftIsNamedBeforeTheObjectGoes kills the manager right after it has
// let go of the last that knew what is left at ESS.
func TestWhatIsLeftIsNamedBeforeTheObjectGoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, suite)
	first := w.start()
	w.connect()
	sub := w.subscribe("reports")
	first.kill()
	w.delete(w.secret())
	second := w.start()
	w.eventuallyReady(w.acme(), metav1.ConditionFalse, v1alpha1.SecretNotFoundReason)
	second.arm(crashPoint{Write: "PATCH eventsubscriptions/reports", Occurrence: 1, After: true})
	w.delete(sub)
	w.eventuallyReady(sub, metav1.ConditionFalse, v1alpha1.ConnectionNotReadyReason)
	second.step(10 * time.Minute)
	w.pokeIfThere(sub)
	second.dies()
	w.eventuallyGone(sub)
	w.Expect(w.held()).To(gomega.Equal([]string{"reports .*"}))
	w.expectNamed(second)
}

// expectOrphanedEvent waits for the Warning that names what was left.
func (w *world) expectOrphanedEvent(id string) {
	w.t.Helper()
	w.Eventually(func() []string {
		var list eventsv1.EventList
		w.Expect(w.plane.client.List(w.t.Context(), &list, client.InNamespace(w.namespace))).To(gomega.Succeed())
		var notes []string
		for i := range list.Items {
			if e := &list.Items[i]; e.Type == corev1.EventTypeWarning && e.Reason == "Orphaned" && e.Regarding.Name == "reports" {
				notes = append(notes, e.Note)
			}
		}
		return notes
	}).Should(gomega.ConsistOf(gomega.ContainSubstring(id)))
}
