package operator_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// told has the receiver tell something about a subscription.
func (w *world) told(sub *v1alpha1.EventSubscription, fields map[string]any) {
	suite.receiver.tell(types.NamespacedName{Namespace: sub.Namespace, Name: sub.Name}, fields)
}

// delivery is what status says, without a nil.
func (w *world) delivery(sub *v1alpha1.EventSubscription) v1alpha1.DeliveryStatus {
	if d := w.read(sub).Status.Delivery; d != nil {
		return *d
	}
	return v1alpha1.DeliveryStatus{}
}

func TestStatisticsReachStatusAndColumns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect()
	sub := w.subscribe("reports", toService)
	w.Expect(sub.Status.Delivery).To(gomega.BeNil())
	arrived := time.Now().Add(-3*time.Hour - time.Minute).UTC().Truncate(time.Second)
	w.told(sub, map[string]any{"received": 1, "lastEventTime": arrived})
	w.Eventually(func() int64 { return w.delivery(sub).Received }).Should(gomega.Equal(int64(1)))
	w.Expect(sub.Status.Delivery.LastEventTime.UTC()).To(gomega.Equal(arrived))
	shown := w.kubectl("get", "esub", "-n", w.namespace, "-o", "wide")
	columns := regexp.MustCompile(` {2,}`).Split(strings.TrimSpace(strings.Split(shown, "\n")[1]), -1)
	w.Expect(columns).To(gomega.ContainElement("3h1m"), "LAST EVENT in\n%s", shown)
	w.Expect(columns).To(gomega.ContainElement("http://bot."+w.namespace+".svc"), "SINK in\n%s", shown)

	w.told(sub, map[string]any{"received": 9, "pending": 4, "deadLettered": 2, "lastEventTime": arrived,
		"oldestPending": time.Now().Add(-time.Hour), "lastError": "the sink answered 503"})
	w.Eventually(func() int64 { return w.delivery(sub).DeadLettered }).Should(gomega.Equal(int64(2)))
	got := w.delivery(sub)
	w.Expect([]any{got.Received, got.Pending, got.LastError}).To(gomega.Equal([]any{int64(9), int64(4), "the sink answered 503"}))
	w.Eventually(w.events).Should(gomega.ContainElement("Warning DeadLettered EventSubscription/reports"))
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)

	w.told(sub, map[string]any{"received": 9, "lastEventTime": arrived})
	w.Eventually(func() v1alpha1.DeliveryStatus { d := w.delivery(sub); d.LastEventTime = nil; return d }).
		Should(gomega.Equal(v1alpha1.DeliveryStatus{Received: 9}))

	w.change(sub, func() { sub.Spec.Sink = v1alpha1.Sink{}; sub.Spec.Endpoint = v1alpha1.Endpoint{URL: endpoint} })
	w.Eventually(func() *v1alpha1.DeliveryStatus { return w.read(sub).Status.Delivery }).Should(gomega.BeNil(), "the receiver is not asked any more")
}

func TestTrafficWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect()
	sub := w.subscribe("reports", toService)
	begin := time.Now()
	w.told(sub, map[string]any{"received": 1, "lastEventTime": begin})
	w.Eventually(func() int64 { return w.delivery(sub).Received }).Should(gomega.Equal(int64(1)))
	version, asked := sub.ResourceVersion, suite.receiver.questions()
	received := 1
	w.Eventually(func() int {
		received += 100
		w.told(sub, map[string]any{"received": received, "pending": 3, "oldestPending": time.Now(), "lastEventTime": time.Now()})
		w.Expect(w.read(sub).ResourceVersion).To(gomega.Equal(version), "the object was written for traffic alone")
		return suite.receiver.questions() - asked
	}).Should(gomega.BeNumerically(">=", 15))
}

func TestStatisticsOutlastFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect()
	sub := w.subscribe("reports", toService)
	w.told(sub, map[string]any{"received": 1, "lastEventTime": time.Now()})
	w.Eventually(func() int64 { return w.delivery(sub).Received }).Should(gomega.Equal(int64(1)))
	t.Cleanup(func() { suite.receiver.breakDown(nil) })
	version := sub.ResourceVersion
	for name, fault := range map[string]http.HandlerFunc{
		"Refusing": func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusUnauthorized) },
		"Garbage":  func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte("<html>")) },
		"Empty":    func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte("{}")) },
		"Hanging up": func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		},
	} {
		suite.receiver.breakDown(fault)
		asked := suite.receiver.questions()
		w.Eventually(func() int { return suite.receiver.questions() - asked }).Should(gomega.BeNumerically(">=", 2), name)
		w.Expect(w.read(sub).ResourceVersion).To(gomega.Equal(version), name)
	}
	suite.receiver.breakDown(nil)
	w.told(sub, map[string]any{"received": 2, "deadLettered": 1, "lastEventTime": time.Now()})
	w.Eventually(func() int64 { return w.delivery(sub).DeadLettered }).Should(gomega.Equal(int64(1)))
}

func TestRefusedDeliveriesAreARisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect()
	sub := w.subscribe("reports", toService)
	if err := w.ess.ConnectCompany(appID, company); err != nil {
		t.Fatal(err)
	}
	w.request(sub, "now")
	w.Expect(condition(sub, v1alpha1.AtRiskCondition)).To(gomega.BeNil())
	since := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	w.told(sub, map[string]any{"refusals": map[string]any{"count": 3, "since": since, "last": since, "reason": "nothing proves where it comes from"}})
	w.Eventually(func() string {
		if c := condition(w.read(sub), v1alpha1.AtRiskCondition); c != nil {
			return c.Reason + ": " + c.Message
		}
		return ""
	}).Should(gomega.SatisfyAll(gomega.HavePrefix(v1alpha1.DeliveriesRefusedReason), gomega.ContainSubstring("2026-06-01"),
		gomega.ContainSubstring("2026-07-01"), gomega.ContainSubstring("nothing proves where it comes from")))
	w.Expect(condition(sub, v1alpha1.CompaniesConnectedCondition).Status).To(gomega.BeEquivalentTo("True"))
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)

	w.told(sub, map[string]any{"received": 1, "lastEventTime": since})
	w.Eventually(func() bool { return condition(w.read(sub), v1alpha1.AtRiskCondition) == nil }).Should(gomega.BeTrue())
	w.Expect(w.calls(essemulator.OpPut)).To(gomega.HaveLen(1))
}
