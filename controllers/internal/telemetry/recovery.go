package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/ess-operator/ess-operator/internal/notifications"
)

var (
	recoveryRuns = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ess_operator_recovery_runs_total",
		Help: "Attempts to go through a list of failed notifications, by result: ok, or the reason of the failure.",
	}, []string{"result"})

	recovered = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ess_operator_recovery_notifications_total",
		Help: "Failed notifications by what became of them: stored by the receiver, then deleted at SAP Concur, or skipped.",
	}, []string{"result"})

	recoveryListed = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "ess_operator_recovery_failed_notifications",
		Help: "Notifications that SAP Concur last listed as FAILED for a connector.",
	}, []string{"namespace", "name"})

	recoveryLast = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "ess_operator_recovery_last_run_timestamp_seconds",
		Help: "Time at which the list of a connector was last gone through to its end, in seconds since 1970.",
	}, []string{"namespace", "name"})
)

func init() {
	metrics.Registry.MustRegister(recoveryRuns, recovered, recoveryListed, recoveryLast)
}

// ObserveNotificationCall counts one exchange with the API of failed notifications.
func ObserveNotificationCall(call notifications.Call) {
	requests.WithLabelValues(call.Operation, call.Code).Inc()
	durations.WithLabelValues(call.Operation).Observe(call.Duration.Seconds())
}

// CountRecovery counts what became of one failed notification: stored, deleted or skipped.
func CountRecovery(result string) { recovered.WithLabelValues(result).Inc() }

// CountRecoveryRun counts one run, which left listed notifications at SAP Concur; at is when one last got to its end, if any did.
func CountRecoveryRun(connector types.NamespacedName, result string, listed int64, at time.Time) {
	recoveryRuns.WithLabelValues(result).Inc()
	recoveryListed.WithLabelValues(connector.Namespace, connector.Name).Set(float64(listed))
	if !at.IsZero() {
		recoveryLast.WithLabelValues(connector.Namespace, connector.Name).Set(float64(at.Unix()))
	}
}

// ForgetRecovery takes the metrics of a connector away that is gone, or fetches no more.
func ForgetRecovery(connector types.NamespacedName) {
	recoveryListed.DeleteLabelValues(connector.Namespace, connector.Name)
	recoveryLast.DeleteLabelValues(connector.Namespace, connector.Name)
}
