// Package telemetry holds the operator's own metrics. They are served with
// controller-runtime's on --metrics-bind-address; docs/reference/metrics.md lists them.
package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/session"
)

var (
	requests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ess_operator_concur_requests_total",
		Help: "Calls to SAP Concur by operation and code (the HTTP status, or the kind of failure when no answer came).",
	}, []string{"operation", "code"})

	durations = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "ess_operator_concur_request_duration_seconds",
		Help:    "Time from sending a call to SAP Concur to the end of its answer.",
		Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
	}, []string{"operation"})

	waits = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "ess_operator_budget_wait_seconds",
		Help:    "Time that calls to SAP Concur waited for the budget of their application, by urgency.",
		Buckets: []float64{.001, .01, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"urgency"})

	orphans = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "ess_operator_orphaned_subscriptions_total",
		Help: "Subscriptions left at ESS because their object was deleted and nothing was left to delete them with.",
	})
)

func init() {
	metrics.Registry.MustRegister(requests, durations, waits, orphans)
}

// ObserveCall counts one exchange with SAP Concur.
func ObserveCall(call ess.Call) {
	requests.WithLabelValues(call.Operation, call.Code).Inc()
	durations.WithLabelValues(call.Operation).Observe(call.Duration.Seconds())
}

// ObserveWait notes how long a call waited for the budget of its application.
func ObserveWait(urgency session.Urgency, waited time.Duration) {
	waits.WithLabelValues(urgency.String()).Observe(waited.Seconds())
}

// CountOrphan counts one subscription that was left at ESS.
func CountOrphan() { orphans.Inc() }
