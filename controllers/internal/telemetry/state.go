package telemetry

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/session"
)

var (
	objects = prometheus.NewDesc("ess_operator_objects",
		"Objects by kind, status of Ready, and reason.", []string{"kind", "ready", "reason"}, nil)
	tokenAge = prometheus.NewDesc("ess_operator_connection_token_age_seconds",
		"Age of the token that a connection used for its last refresh.", []string{"namespace", "name"}, nil)
	syncAge = prometheus.NewDesc("ess_operator_connection_last_sync_age_seconds",
		"Time since ESS was last listed for a connection.", []string{"namespace", "name"}, nil)
	held = prometheus.NewDesc("ess_operator_budget_held",
		"1 while SAP Concur's Retry-After holds all calls of a connection's application, else 0.", []string{"namespace", "name"}, nil)
)

// collector reads the cache and the sessions when it is scraped, so that no
// count can go stale and nothing has to be taken back.
type collector struct {
	objects  client.Reader
	sessions *session.Registry
	clock    clock.PassiveClock
}

// Register serves the metrics that describe state.
func Register(objects client.Reader, sessions *session.Registry, clk clock.PassiveClock) error {
	err := metrics.Registry.Register(&collector{objects: objects, sessions: sessions, clock: clk})
	if err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	return nil
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	ch <- objects
	ch <- tokenAge
	ch <- syncAge
	ch <- held
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	counts := map[[3]string]int{}
	var connections v1alpha1.ConcurConnectionList
	var subscriptions v1alpha1.EventSubscriptionList
	var connectors v1alpha1.ApplicationConnectorList
	ctx := context.Background()
	// Nothing is changed here, and copies of thousands of objects for each scrape would be the most of our garbage.
	shared := client.UnsafeDisableDeepCopy
	for _, list := range []client.ObjectList{&connections, &subscriptions, &connectors} {
		if err := c.objects.List(ctx, list, shared, client.DisableReadYourWritesConsistency); err != nil && !meta.IsNoMatchError(err) {
			return // the cache is not there yet
		}
	}
	for i := range connections.Items {
		count(counts, "ConcurConnection", connections.Items[i].Status.Conditions)
	}
	for i := range subscriptions.Items {
		count(counts, "EventSubscription", subscriptions.Items[i].Status.Conditions)
	}
	for i := range connectors.Items {
		count(counts, "ApplicationConnector", connectors.Items[i].Status.Conditions)
	}
	for labels, n := range counts {
		ch <- prometheus.MustNewConstMetric(objects, prometheus.GaugeValue, float64(n), labels[:]...)
	}
	c.collectSessions(ch)
}

// collectSessions tells the state of each connection's session.
func (c *collector) collectSessions(ch chan<- prometheus.Metric) {
	for name, s := range c.sessions.All() {
		value := 0.
		if c.sessions.Held(name) > 0 {
			value = 1
		}
		ch <- prometheus.MustNewConstMetric(held, prometheus.GaugeValue, value, name.Namespace, name.Name)
		snapshot := s.Snapshot()
		if at := snapshot.Token.IssuedAt; !at.IsZero() {
			ch <- prometheus.MustNewConstMetric(tokenAge, prometheus.GaugeValue, c.clock.Since(at).Seconds(), name.Namespace, name.Name)
		}
		if at := snapshot.Inventory.ListedAt; !at.IsZero() {
			ch <- prometheus.MustNewConstMetric(syncAge, prometheus.GaugeValue, c.clock.Since(at).Seconds(), name.Namespace, name.Name)
		}
	}
}

func count(counts map[[3]string]int, kind string, conditions []metav1.Condition) {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ReadyCondition)
	if ready == nil {
		ready = &metav1.Condition{Status: metav1.ConditionUnknown, Reason: v1alpha1.ProgressingReason}
	}
	counts[[3]string{kind, string(ready.Status), ready.Reason}]++
}
