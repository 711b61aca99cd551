package operator_test

import (
	"strings"
	"testing"

	"github.com/onsi/gomega"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// events are the events of the test's namespace, as "Normal Created EventSubscription/reports".
func (w *world) events() []string {
	var list eventsv1.EventList
	w.Expect(suite.client.List(w.t.Context(), &list, client.InNamespace(w.namespace))).To(gomega.Succeed())
	lines := make([]string, 0, len(list.Items))
	for _, e := range list.Items {
		lines = append(lines, e.Type+" "+e.Reason+" "+e.Regarding.Kind+"/"+e.Regarding.Name)
	}
	return lines
}

func TestEventsTellWhatChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slowToDelete)
	w.connect()
	sub := w.subscribe("reports")
	w.change(sub, func() { sub.Spec.Topic = "public.concur.nowhere" })
	w.eventuallyReady(sub, "False", v1alpha1.TopicNotAllowedReason)
	w.change(sub, func() { sub.Spec.Topic, sub.Spec.Filter = topic, "reportCreated" })
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
	w.deleteAtESS(sub)
	w.Eventually(w.events).Should(gomega.ConsistOf(
		"Normal Connected ConcurConnection/acme",
		"Normal Created EventSubscription/reports",
		"Warning TopicNotAllowed EventSubscription/reports",
		"Normal Updated EventSubscription/reports",
		"Normal Deleting EventSubscription/reports",
		"Normal Deleted EventSubscription/reports",
	))
}

func TestMetricsTellCallsAgesAndObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect()
	w.subscribe("reports")
	w.subscribe("delivered", toService)
	for _, want := range []string{
		`ess_operator_concur_requests_total code="200" operation="put"`,
		`ess_operator_concur_request_duration_seconds operation="list"`,
		`ess_operator_connection_token_age_seconds name="acme" namespace="` + w.namespace + `"`,
		`ess_operator_connection_last_sync_age_seconds name="acme" namespace="` + w.namespace + `"`,
		`ess_operator_objects kind="EventSubscription" ready="True" reason="Subscribed"`,
		`ess_operator_objects kind="ConcurConnection" ready="True" reason="Connected"`,
		`ess_operator_routes`,
		`ess_operator_routes_writes_total result="missing"`,
		`ess_operator_routes_writes_total result="written"`,
		`ess_operator_receiver_polls_total result="ok"`,
	} {
		w.Eventually(series(t)).Should(gomega.ContainElement(want))
	}
}

// series lists the metrics that the operator serves now, without values.
func series(t *testing.T) func() []string {
	return func() []string {
		families, err := metrics.Registry.Gather()
		if err != nil {
			t.Error(err)
		}
		var all []string
		for _, f := range families {
			for _, m := range f.GetMetric() {
				name := []string{f.GetName()}
				for _, l := range m.GetLabel() {
					name = append(name, l.GetName()+`="`+l.GetValue()+`"`)
				}
				all = append(all, strings.Join(name, " "))
			}
		}
		return all
	}
}
