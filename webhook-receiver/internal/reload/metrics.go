package reload

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	reloads *prometheus.CounterVec
	success *prometheus.GaugeVec
	refused *prometheus.GaugeVec
}

func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ess_receiver_reload_total",
			Help: "How often changed files were put into force (success) or refused (failure), the start included.",
		}, []string{"file", "result"}),
		success: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "ess_receiver_reload_last_success_timestamp_seconds",
			Help: "When what is in force of these files was taken.",
		}, []string{"file"}),
		refused: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "ess_receiver_reload_refused",
			Help: "1 while what these files hold is refused, and something older is in force or nothing; 0 otherwise.",
		}, []string{"file"}),
	}
	if registerer == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.reloads, m.success, m.refused} {
		if err := registerer.Register(c); err != nil {
			return nil, fmt.Errorf("registering the metrics of reloads: %w", err)
		}
	}
	return m, nil
}

// note counts how taking the files of a source ended.
func (m *metrics) note(file string, now time.Time, err error) {
	if err != nil {
		m.reloads.WithLabelValues(file, "failure").Inc()
		m.refused.WithLabelValues(file).Set(1)
		return
	}
	m.reloads.WithLabelValues(file, "success").Inc()
	m.refused.WithLabelValues(file).Set(0)
	m.success.WithLabelValues(file).Set(float64(now.UnixNano()) / 1e9)
}
