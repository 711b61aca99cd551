package admin

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are those of this port. Labels are paths as endpoints has them, never as they were asked for.
type metrics struct {
	requests *prometheus.CounterVec
	missed   prometheus.Counter
}

func newMetrics(r prometheus.Registerer, tails func() float64) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ess_receiver_admin_requests_total",
			Help: "Requests to the admin port, by path as documented (or unauthorized, or other) and HTTP status.",
		}, []string{"path", "code"}),
		missed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ess_receiver_admin_tail_missed_total",
			Help: "Events that live tails did not see because they read too slowly; the store has them.",
		}),
	}
	live := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ess_receiver_admin_tails",
		Help: "Live tails that are connected now.",
	}, tails)
	for _, c := range []prometheus.Collector{m.requests, m.missed, live} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("registering the metrics of the admin port: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) count(path string, status int) {
	m.requests.WithLabelValues(path, strconv.Itoa(status)).Inc()
}

// statusWriter remembers what was answered.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader remembers and passes on.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write passes on; without a status before, it is 200.
func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController flush and set deadlines.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
