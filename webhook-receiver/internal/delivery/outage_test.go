package delivery_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/delivery"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

func TestAnOutageCostsFewAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, table{routed(reports, retry(3))}, nil)
		w.sinks.on("reports", always(answer{down: true}))
		w.queue.add(reports, 300)
		after(30 * time.Minute)
		// 16 at once before it is known, 6 until pauses are 30 s (half of it random), then 2 to 4 a minute.
		if n := w.sinks.attempts("reports"); n > 16+6+120 {
			t.Errorf("got %d attempts in half an hour", n)
		}
		if n := w.queue.count(event.Dead); n > 5 {
			t.Errorf("got %d dead: no event may lose its retries because of the others", n)
		}
		w.sinks.on("reports", nil)
		after(45 * time.Second)
		if n := w.queue.count(event.Pending); n != 0 {
			t.Errorf("got %d pending after the sink has come back", n)
		}
	})
}

func TestRetriesEndWhenASinkStaysAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, table{routed(reports, buried(3))}, nil)
		w.sinks.on("reports", always(answer{down: true}))
		w.queue.add(reports, 300)
		after(time.Hour + 10*time.Minute)
		if n := w.queue.count(event.Dead); n != 300 {
			t.Errorf("got %d dead after an hour without the sink, want all", n)
		}
		if n := w.sinks.attempts("cemetery"); n != 300 {
			t.Errorf("got %d at the dead letter sink, want all", n)
		}
		w.sinks.on("reports", nil)
		w.queue.add(reports, 1)
		after(time.Minute)
		if r := w.queue.record(t, 301); r.State != event.Delivered {
			t.Errorf("got %s: what comes after it is delivered", r.State)
		}
	})
}

// Who has mended a sink replays what died of it: then nothing is left that would be tried, but what is older than the
// retention.
func TestWhatIsReplayedAfterALongOutageIsTried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, table{routed(reports, retry(-1))}, func(c *delivery.Config) { c.Retention = 3 * time.Hour })
		w.sinks.on("reports", always(answer{down: true}))
		w.queue.add(reports, 20)
		after(4 * time.Hour)
		if n := w.queue.count(event.Dead); n != 20 {
			t.Fatalf("got %d dead after the retention, want all", n)
		}
		w.sinks.on("reports", nil)
		for seq := range uint64(20) {
			w.queue.replay(seq + 1)
		}
		after(time.Minute)
		if n := w.queue.count(event.Delivered); n != 20 {
			t.Errorf("got %d delivered of those that were replayed, want all", n)
		}
	})
}

// Events that waited for a sink until they were older than the retention are tried when there is one, even if it has a
// bad start.
func TestWhatWaitedForASinkIsTried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		without := routed(reports, retry(-1))
		without.Sink, without.AwaitSink = nil, true
		w := start(t, table{without}, func(c *delivery.Config) { c.Retention = time.Hour })
		w.queue.add(reports, 100)
		after(2 * time.Hour)
		w.sinks.on("reports", always(answer{down: true}))
		w.SetRoutes(table{routed(reports, retry(-1))})
		after(time.Minute)
		w.sinks.on("reports", nil)
		after(10 * time.Minute)
		if n := w.queue.count(event.Delivered); n != 100 {
			t.Errorf("got %d delivered, want all", n)
		}
	})
}

func TestASinkThatRefusesSomeIsNotDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, table{routed(reports, retry(0))}, nil)
		w.sinks.on("reports", always(answer{final: true}))
		w.queue.add(reports, 100)
		after(time.Second)
		if n := w.queue.count(event.Dead); n != 100 {
			t.Errorf("got %d dead, want all to have been tried", n)
		}
	})
}

func TestLogsTellOfChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		w := start(t, table{routed(reports, retry(-1))}, func(c *delivery.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		w.sinks.on("reports", always(answer{down: true}))
		w.queue.add(reports, 100)
		after(time.Hour)
		w.sinks.on("reports", nil)
		after(time.Hour)
		w.stop()
		<-w.ended
		if lines := strings.Split(strings.TrimSpace(log.String()), "\n"); len(lines) != 2 ||
			!strings.Contains(lines[0], "takes no events") || !strings.Contains(lines[1], "takes events again") {
			t.Errorf("got:\n%s", log.String())
		}
	})
}

// series returns all series of a registry but histograms, as "name{target,result} value".
func series(t *testing.T, registry prometheus.Gatherer) []string {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, family := range families {
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			name := fmt.Sprintf("%s{%s,%s}", strings.TrimPrefix(family.GetName(), "ess_receiver_"), labels["target"], labels["result"])
			switch {
			case m.Counter != nil:
				all = append(all, fmt.Sprint(name, " ", m.Counter.GetValue()))
			case m.Gauge != nil:
				all = append(all, fmt.Sprint(name, " ", m.Gauge.GetValue()))
			}
			if labels["kind"] != "subscription" || labels["namespace"] != "finance" || labels["name"] != "reports" {
				t.Errorf("got labels %v", labels)
			}
		}
	}
	return all
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		w := start(t, table{routed(reports, buried(1))}, func(c *delivery.Config) { c.Registerer = registry })
		w.queue.add(reports, 3)
		after(0)
		w.sinks.on("reports", always(answer{}))
		w.queue.add(reports, 1)
		after(time.Minute)
		w.sinks.on("reports", hang)
		w.queue.add(reports, 1)
		after(time.Second)
		want := []string{
			"deliveries_in_flight{,} 1",
			"deliveries_total{sink,dead} 1",
			"deliveries_total{deadletter,delivered} 1",
			"deliveries_total{sink,delivered} 3",
			"deliveries_total{sink,retried} 1",
			"sink_down{deadletter,} 0",
			"sink_down{sink,} 0",
		}
		slices.Sort(want)
		got := series(t, registry)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		w.SetRoutes(table{})
		after(time.Minute)
		if got := series(t, registry); len(got) != 0 {
			t.Errorf("got %v of a route that is gone", got)
		}
	})
}
