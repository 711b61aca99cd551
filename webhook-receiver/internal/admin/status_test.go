package admin_test

import (
	"errors"
	"flag"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/admin"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares an answer with a file, byte for byte: other programs read it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); a field may be added, but none may change:\n%s", path, diff)
	}
}

func TestStatisticsAreAsTheManagerReadsThem(t *testing.T) {
	t.Parallel()
	quiet := event.RouteID{Kind: event.Subscription, Namespace: "finance", Name: "quiet"}
	refusals := map[event.RouteID]event.Refusals{
		quiet: {Count: 3, Since: now.Add(-time.Hour), Last: now, Reason: "nothing proves that it comes from Concur"},
	}
	callouts := event.RouteID{Kind: event.Connector, Namespace: "hr", Name: "requests"}
	b := newBench(t, func(c *admin.Config) {
		c.Refusals = func() map[event.RouteID]event.Refusals { return refusals }
		c.LastTests = func() map[event.RouteID]time.Time {
			return map[event.RouteID]time.Time{callouts: now.Add(-time.Minute)}
		}
	})
	b.store.setStats(event.StoreStats{Used: 10 << 20, FileSize: 16 << 20, MaxSize: 8 << 30, SyncLatency: 1500 * time.Microsecond,
		Routes: []event.RouteStats{
			{Route: event.RouteID{Kind: event.Subscription, Namespace: "hr", Name: "users"}, Received: 1},
			{Route: reports, Received: 7, Pending: 2, DeadLettered: 1, Quarantined: 1, LastEventTime: now,
				OldestPending: now.Add(-time.Minute), LastError: "the sink answered 500", LastErrorTime: now},
		}})
	w := b.get("/v1/statistics")
	golden(t, "statistics.json", w.Body.String())
	if s := b.store.Stats(); s.Routes[0].Route.Name != "users" || s.Routes[1].Refusals != nil {
		t.Error("the answer has changed what the store keeps")
	}
}

func TestStatisticsOfAnEmptyStore(t *testing.T) {
	t.Parallel()
	golden(t, "statistics-empty.json", newBench(t).get("/v1/statistics").Body.String())
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		ready  error
		stats  event.StoreStats
		want   string // part of the detail; empty: ready
	}{
		"Ready":    {"All is well.", nil, event.StoreStats{}, ""},
		"Starting": {"Nothing may come before all is there.", errors.New("starting"), event.StoreStats{}, "starting"},
		"Draining": {"Nothing should come any more.", errors.New("draining"), event.StoreStats{}, "draining"},
		"Failed":   {"What cannot be stored must not be taken.", nil, event.StoreStats{Failed: "write /secret/path: EIO"}, "a write to the store failed"},
		"Full":     {"What cannot be stored must not be taken.", nil, event.StoreStats{Full: true}, "the store, or its disk, is full"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(c *admin.Config) { c.Ready = func() error { return tc.ready } })
			b.store.setStats(tc.stats)
			w := anonymous(b, http.MethodGet, "/readyz")
			if tc.want == "" {
				if w.Code != http.StatusOK {
					t.Errorf("%s\nstatus %d: %s", tc.reason, w.Code, w.Body)
				}
				return
			}
			if p := refused(t, w, http.StatusServiceUnavailable); !strings.Contains(p.Detail, tc.want) || strings.Contains(p.Detail, "secret") {
				t.Errorf("%s\ndetail %q, want it to say %q and no path", tc.reason, p.Detail, tc.want)
			}
			if w := anonymous(b, http.MethodGet, "/healthz"); w.Code != http.StatusOK {
				t.Errorf("a restart would not help, but /healthz answers %d", w.Code)
			}
		})
	}
}

func TestRoutesWithoutCredentials(t *testing.T) {
	t.Parallel()
	w := newBench(t).get("/v1/routes")
	golden(t, "routes.json", w.Body.String())
	if strings.Contains(w.Body.String(), "secret") {
		t.Error("credentials are shown")
	}
}

func TestMetricsNeverRepeatWhatWasAsked(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.fill()
	for _, target := range []string{"/v1/events/3", "/v1/events/999", "/v1/events?id=secret", "/v1/events?secret=1", "/secret", "/v1/events/secret"} {
		b.get(target)
	}
	anonymous(b, http.MethodGet, "/secret")
	w := b.get("/metrics")
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	text := w.Body.String()
	for _, want := range []string{
		`ess_receiver_admin_requests_total{code="200",path="/v1/events/{seq}"} 1`,
		`ess_receiver_admin_requests_total{code="404",path="/v1/events/{seq}"} 1`,
		`ess_receiver_admin_requests_total{code="404",path="other"} 1`,
		`ess_receiver_admin_requests_total{code="401",path="unauthorized"} 1`,
		"ess_receiver_admin_tails 0",
		"ess_receiver_admin_tail_missed_total 0",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("/metrics has no line %s", want)
		}
	}
	if strings.Contains(text, "secret") {
		t.Error("/metrics repeats what was asked for")
	}
}
