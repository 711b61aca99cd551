package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var (
	routes = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "ess_operator_routes",
		Help: "Routes that the receiver should have, when they were last rendered.",
	})

	routesBytes = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "ess_operator_routes_bytes",
		Help: "Size of the rendered routes file. A Secret holds no more than 1048576.",
	})

	routesWrites = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ess_operator_routes_writes_total",
		Help: "Attempts to bring changed routes into the receiver's Secret, by result.",
	}, []string{"result"})

	adminSecretWrites = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ess_operator_admin_secret_writes_total",
		Help: "Attempts to write what was missing or due into the Secret of the receiver's admin port, by result.",
	}, []string{"result"})

	adminCertificate = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "ess_operator_admin_certificate_expiry_timestamp_seconds",
		Help: "Time at which the certificate of the receiver's admin port expires, in seconds since 1970; 0 when there is none.",
	})

	polls = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ess_operator_receiver_polls_total",
		Help: "Attempts to get the receiver's statistics, by result.",
	}, []string{"result"})

	polled = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "ess_operator_receiver_last_poll_timestamp_seconds",
		Help: "Time at which the receiver last told its statistics, in seconds since 1970.",
	})
)

func init() {
	metrics.Registry.MustRegister(routes, routesBytes, routesWrites, adminSecretWrites, adminCertificate, polls, polled)
}

// SetRoutes notes how many routes were rendered, and the size of their file.
func SetRoutes(count, size int) {
	routes.Set(float64(count))
	routesBytes.Set(float64(size))
}

// CountRoutesWrite counts an attempt to write changed routes: "written", "missing" (there
// is no Secret), "too_large" or "failed".
func CountRoutesWrite(result string) { routesWrites.WithLabelValues(result).Inc() }

// CountAdminSecretWrite counts an attempt to write the Secret of the receiver's admin port: "written", "missing"
// (there is no Secret) or "failed".
func CountAdminSecretWrite(result string) { adminSecretWrites.WithLabelValues(result).Inc() }

// SetAdminCertificate notes when the certificate of the receiver's admin port expires; zero: there is none.
func SetAdminCertificate(notAfter time.Time) {
	if notAfter.IsZero() {
		adminCertificate.Set(0)
		return
	}
	adminCertificate.Set(float64(notAfter.Unix()))
}

// CountPoll counts an attempt to get statistics that ended at a time.
func CountPoll(result string, at time.Time) {
	polls.WithLabelValues(result).Inc()
	if result == "ok" {
		polled.Set(float64(at.Unix()))
	}
}
