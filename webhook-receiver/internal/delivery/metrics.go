package delivery

import (
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// Values of labels.
const (
	targetSink = "sink"
	targetDead = "deadletter"

	resultDelivered = "delivered" // answered 2xx
	resultRetried   = "retried"   // failed, and will be tried again
	resultDead      = "dead"      // failed for good
	resultAbandoned = "abandoned" // cut off by a shutdown
)

// metrics are the numbers of all routes.
type metrics struct {
	deliveries *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	inFlight   *prometheus.GaugeVec
	circuits   *prometheus.GaugeVec
}

func newMetrics(registerer prometheus.Registerer) *metrics {
	ofRoute := []string{"kind", "namespace", "name"}
	ofTarget := append(ofRoute[:3:3], "target")
	m := &metrics{
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ess_receiver_deliveries_total",
			Help: "Attempts to hand an event to a sink or a dead letter sink, by how they ended.",
		}, append(ofTarget[:4:4], "result")),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "ess_receiver_delivery_duration_seconds",
			Help:    "How long attempts to hand an event to a sink or a dead letter sink took.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, ofRoute),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "ess_receiver_deliveries_in_flight",
			Help: "Attempts to hand an event to a sink or a dead letter sink that are being made now.",
		}, ofRoute),
		circuits: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "ess_receiver_sink_down",
			Help: "Whether a sink or dead letter sink takes no events, so that it is tried with one at a time: 1 or 0.",
		}, ofTarget),
	}
	if registerer != nil {
		registerer.MustRegister(m.deliveries, m.duration, m.inFlight, m.circuits)
	}
	return m
}

func (m *metrics) count(id event.RouteID, target, result string) {
	m.deliveries.WithLabelValues(string(id.Kind), id.Namespace, id.Name, target, result).Inc()
}

// begin notes that an attempt begins; the function it returns, that it has ended.
func (m *metrics) begin(id event.RouteID, clock clock.PassiveClock) func() {
	begun := clock.Now()
	inFlight := m.inFlight.WithLabelValues(string(id.Kind), id.Namespace, id.Name)
	inFlight.Inc()
	return func() {
		inFlight.Dec()
		m.duration.WithLabelValues(string(id.Kind), id.Namespace, id.Name).Observe(clock.Since(begun).Seconds())
	}
}

func (m *metrics) circuit(id event.RouteID, target string) prometheus.Gauge {
	return m.circuits.WithLabelValues(string(id.Kind), id.Namespace, id.Name, target)
}

// forget drops the series of a route that is gone.
func (m *metrics) forget(id event.RouteID) {
	labels := prometheus.Labels{"kind": string(id.Kind), "namespace": id.Namespace, "name": id.Name}
	m.deliveries.DeletePartialMatch(labels)
	m.duration.DeletePartialMatch(labels)
	m.inFlight.DeletePartialMatch(labels)
	m.circuits.DeletePartialMatch(labels)
}
