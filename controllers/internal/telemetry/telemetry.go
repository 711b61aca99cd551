// Package telemetry holds the operator's own metrics. They are served with
// controller-runtime's on --metrics-bind-address; docs/metrics.md lists them.
package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/ess-operator/ess-operator/internal/ess"
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

	orphans = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "ess_operator_orphaned_subscriptions_total",
		Help: "Subscriptions left at ESS because their object was deleted and nothing was left to delete them with.",
	})
)

func init() {
	metrics.Registry.MustRegister(requests, durations, orphans)
}

// ObserveCall counts one exchange with SAP Concur.
func ObserveCall(call ess.Call) {
	requests.WithLabelValues(call.Operation, call.Code).Inc()
	durations.WithLabelValues(call.Operation).Observe(call.Duration.Seconds())
}

// CountOrphan counts one subscription that was left at ESS.
func CountOrphan() { orphans.Inc() }
