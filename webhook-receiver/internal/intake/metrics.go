package intake

import (
	"log/slog"
	"net/http"
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/time/rate"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

type metrics struct {
	deliveries *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	tests      *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer, requests, bytes *budget) metrics {
	f := promauto.With(r)
	f.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ess_receiver_in_flight_requests",
		Help: "Deliveries that are being proved and stored now.",
	}, func() float64 { return float64(requests.used.Load()) })
	f.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ess_receiver_in_flight_bytes",
		Help: "Memory that the bodies of these deliveries take now, and of those that are still coming in.",
	}, func() float64 { return float64(bytes.used.Load()) })
	return metrics{
		deliveries: f.NewCounterVec(prometheus.CounterOpts{
			Name: "ess_receiver_received_total",
			Help: "Deliveries by route and how they ended. Those for unknown routes have no namespace and no name.",
		}, []string{"kind", "namespace", "name", "result"}),
		duration: f.NewHistogramVec(prometheus.HistogramOpts{
			Name: "ess_receiver_answer_duration_seconds",
			Help: "Time from the headers of a delivery to its answer, by how it ended. Concur gives up after 60 seconds.",
			Buckets: []float64{
				0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
			},
		}, []string{"result"}),
		tests: f.NewCounterVec(prometheus.CounterOpts{
			Name: "ess_receiver_test_connections_total",
			Help: "Tests of the connection, as somebody starts them on Concur's Register Application Connector page, by how they ended.",
		}, []string{"result"}),
	}
}

// journalist logs what people should know of. Of each result it writes the first few lines and then one now and
// again, because a stranger can cause as many as they like.
type journalist struct {
	to   *slog.Logger
	when map[result]*rate.Sometimes
}

func newJournalist(to *slog.Logger) journalist {
	j := journalist{to: to, when: make(map[result]*rate.Sometimes, len(answers))}
	for how := range answers {
		j.when[how] = &rate.Sometimes{First: 10, Interval: 10 * time.Second}
	}
	return j
}

func (j journalist) write(r *http.Request, what string, id event.RouteID, how result, err error) {
	a := answers[how]
	if a.taken() {
		return
	}
	j.when[how].Do(func() {
		attributes := []slog.Attr{slog.String("result", string(how)), slog.Int("status", a.status), slog.String("from", r.RemoteAddr)}
		if err != nil {
			attributes = append(attributes, slog.Any("error", err))
		}
		switch {
		case id.Name != "":
			attributes = append(attributes, slog.String("route", id.String()))
		case routePath.MatchString(r.URL.Path):
			attributes = append(attributes, slog.String("path", r.URL.Path))
		}
		j.to.LogAttrs(r.Context(), a.level, what+": "+a.text, attributes...)
	})
}

// routePath is a path that an EventSubscription can have. Any other is a stranger's text, which has no place in a log.
var routePath = regexp.MustCompile(`^/events/[a-z0-9-]{1,63}/[a-z0-9.-]{1,253}$`)
