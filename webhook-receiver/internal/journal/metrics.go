package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// metrics are what the journal counts itself; what it knows anyway is collected when asked for.
type metrics struct {
	appends       *prometheus.CounterVec
	appendLatency prometheus.Histogram
	commitLatency prometheus.Histogram
	batch         prometheus.Histogram
	removed       *prometheus.CounterVec
	reopened      prometheus.Counter
	failed        prometheus.Gauge

	all []prometheus.Collector
}

// latencies reach from a fast SSD to a disk in trouble, in seconds.
var latencies = []float64{.0005, .001, .002, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

func newMetrics() *metrics {
	m := &metrics{
		appends: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ess_receiver_store_appends_total",
			Help: "Events given to the store, by result: accepted, duplicate, full, unavailable, cancelled, error.",
		}, []string{"result"}),
		appendLatency: histogram("ess_receiver_store_append_seconds",
			"Time from giving an event to the store until it is on disk or refused.", latencies),
		commitLatency: histogram("ess_receiver_store_commit_seconds",
			"Duration of the store's transactions, which are almost all fsync.", latencies),
		batch: histogram("ess_receiver_store_batch_size",
			"Changes that were committed together.", prometheus.ExponentialBuckets(1, 2, 11)),
		removed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ess_receiver_store_removed_total",
			Help: "Events removed from the store, by their state and by reason: age, or space when the store is crowded.",
		}, []string{"state", "reason"}),
		reopened: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ess_receiver_store_reopened_total",
			Help: "How often the store was opened anew after a failed write or sync.",
		}),
		failed: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ess_receiver_store_failed",
			Help: "1 while the store refuses events because a write or sync failed.",
		}),
	}
	m.all = []prometheus.Collector{
		m.appends, m.appendLatency, m.commitLatency, m.batch, m.removed, m.reopened, m.failed,
	}
	for _, s := range event.States() {
		m.removed.WithLabelValues(string(s), "age")
	}
	return m
}

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
}

func (m *metrics) register(r prometheus.Registerer, j *Journal) error {
	m.all = append(m.all, &collector{j})
	if r == nil {
		return nil
	}
	for _, c := range m.all {
		if err := r.Register(c); err != nil {
			return fmt.Errorf("registering metrics of the journal: %w", err)
		}
	}
	return nil
}

func (m *metrics) unregister(r prometheus.Registerer) {
	if r == nil {
		return
	}
	for _, c := range m.all {
		r.Unregister(c)
	}
}

func (m *metrics) commit(size int, took time.Duration) {
	m.batch.Observe(float64(size))
	m.commitLatency.Observe(took.Seconds())
}

func (m *metrics) appended(outcome event.Outcome, err error, took time.Duration) {
	result := string(outcome)
	switch {
	case err == nil:
	case errors.Is(err, event.ErrFull):
		result = "full"
	case errors.Is(err, event.ErrUnavailable):
		result = "unavailable"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		result = "cancelled"
	default:
		result = "error"
	}
	m.appends.WithLabelValues(result).Inc()
	m.appendLatency.Observe(took.Seconds())
}

// collector tells what Stats tells.
type collector struct{ j *Journal }

var (
	usedDesc    = prometheus.NewDesc("ess_receiver_store_used_bytes", "Bytes of the store that are in use.", nil, nil)
	sizeDesc    = prometheus.NewDesc("ess_receiver_store_file_bytes", "Bytes of the store's file.", nil, nil)
	maxDesc     = prometheus.NewDesc("ess_receiver_store_max_bytes", "Bytes that the store may use.", nil, nil)
	fullDesc    = prometheus.NewDesc("ess_receiver_store_full", "1 while the store refuses events because it is full.", nil, nil)
	damagedDesc = prometheus.NewDesc("ess_receiver_store_damaged_events",
		"Events whose stored bytes were found damaged since the process began.", nil, nil)
	syncDesc = prometheus.NewDesc("ess_receiver_store_startup_sync_seconds",
		"Median of the syncs that were measured at startup.", nil, nil)

	routeLabels = []string{"kind", "namespace", "name"}
	pendingDesc = prometheus.NewDesc("ess_receiver_store_pending_events", "Events that wait to be delivered.", routeLabels, nil)
	deadDesc    = prometheus.NewDesc("ess_receiver_store_dead_events",
		"Events in the store whose delivery was given up.", routeLabels, nil)
	quarantinedDesc = prometheus.NewDesc("ess_receiver_store_quarantined_events",
		"Events in the store that are not what Concur documents.", routeLabels, nil)
	oldestDesc = prometheus.NewDesc("ess_receiver_oldest_pending_seconds",
		"Age of the oldest event that waits to be delivered, zero when none waits.", routeLabels, nil)
)

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		usedDesc, sizeDesc, maxDesc, fullDesc, damagedDesc, syncDesc, pendingDesc, deadDesc, quarantinedDesc, oldestDesc,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	s := c.j.Stats()
	full := 0.0
	if s.Full {
		full = 1
	}
	gauge(usedDesc, float64(s.Used))
	gauge(sizeDesc, float64(s.FileSize))
	gauge(maxDesc, float64(s.MaxSize))
	gauge(fullDesc, full)
	gauge(damagedDesc, float64(len(c.j.damage.list())))
	gauge(syncDesc, s.SyncLatency.Seconds())
	_, wall := c.j.clock.look()
	for _, r := range s.Routes {
		labels := []string{string(r.Route.Kind), r.Route.Namespace, r.Route.Name}
		gauge(pendingDesc, float64(r.Pending), labels...)
		gauge(deadDesc, float64(r.DeadLettered), labels...)
		gauge(quarantinedDesc, float64(r.Quarantined), labels...)
		age := 0.0
		if !r.OldestPending.IsZero() {
			age = max(0, wall.Sub(r.OldestPending).Seconds())
		}
		gauge(oldestDesc, age, labels...)
	}
}
