package admin_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/admin"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	if _, err := admin.New(admin.Config{}); err == nil {
		t.Error("a handler without a store was made")
	}
	registry := prometheus.NewRegistry()
	use := func(c *admin.Config) { c.Registerer = registry }
	config := newBench(t, use).Config
	if _, err := admin.New(config); !errors.As(err, &prometheus.AlreadyRegisteredError{}) {
		t.Errorf("a second handler on one registry: %v", err)
	}
	config.Registerer, config.MaxTails = prometheus.NewRegistry(), -1
	if _, err := admin.New(config); err == nil {
		t.Error("a negative limit was taken")
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.fill()
	for _, e := range b.Endpoints() {
		target := strings.ReplaceAll(e.Path, "{seq}", "1")
		for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions, "NONSENSE"} {
			w := b.call(method, target, "")
			refused(t, w, http.StatusMethodNotAllowed)
			if got := w.Header().Get("Allow"); got != e.Method {
				t.Errorf("%s %s: Allow is %q, want %q", method, target, got, e.Method)
			}
		}
		if w := b.call(http.MethodHead, target, ""); (w.Code == http.StatusOK) != (e.Method == http.MethodGet && e.Path != "/v1/tail") {
			t.Errorf("HEAD %s: status %d", target, w.Code)
		}
	}
	refused(t, b.get("/v2/events"), http.StatusNotFound)
	refused(t, b.get("/v1/events/"), http.StatusNotFound)
}

func TestRequestsInFlightAreBounded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	release := b.FillSlots()
	for _, target := range []string{"/v1/events", "/v1/tail", "/metrics"} {
		w := b.get(target)
		refused(t, w, http.StatusTooManyRequests)
		if w.Header().Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	for _, probe := range []string{"/healthz", "/readyz"} {
		if w := b.get(probe); w.Code != http.StatusOK {
			t.Errorf("callers keep %s out: status %d", probe, w.Code)
		}
	}
	release()
	if w := b.get("/v1/events"); w.Code != http.StatusOK {
		t.Errorf("status %d after all others have ended", w.Code)
	}
}

// lost is a store that cannot read.
type lost struct {
	memory
	err error
}

// Get fails.
func (l *lost) Get(uint64) (event.Record, error) { return event.Record{}, l.err }

// List fails.
func (l *lost) List(event.Filter, event.Page) ([]event.Record, uint64, error) { return nil, 0, l.err }

func TestFaultsGoToTheLogOnly(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	b := newBench(t, func(c *admin.Config) {
		c.Reader = &lost{err: errors.New("reading page 7 of journal.db: input/output error")}
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	p := refused(t, b.get("/v1/events/4711"), http.StatusInternalServerError)
	if strings.Contains(p.Detail, "journal.db") {
		t.Errorf("the answer says too much: %s", p.Detail)
	}
	if text := log.String(); !strings.Contains(text, "journal.db") || !strings.Contains(text, "/v1/events/{seq}") || strings.Contains(text, "4711") {
		t.Errorf("the log must name the fault and the call, not what was asked for: %s", text)
	}
}

// The server has limits for whoever holds a connection, and works with HTTP/2.
func TestServer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.Server()
	for name, limit := range map[string]time.Duration{"header": s.ReadHeaderTimeout, "read": s.ReadTimeout, "write": s.WriteTimeout, "idle": s.IdleTimeout} {
		if limit <= 0 {
			t.Errorf("the server has no time limit: %s", name)
		}
	}
	server := httptest.NewUnstartedServer(nil)
	server.Config, server.EnableHTTP2 = s, true
	server.StartTLS()
	t.Cleanup(server.Close)
	client := server.Client()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v1/tail", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.ProtoMajor != 2 || answer.TLS.Version < tls.VersionTLS12 {
		t.Errorf("protocol %s", answer.Proto)
	}
	first := make([]byte, len(`{"heartbeat":`))
	if _, err := answer.Body.Read(first); err != nil || string(first) != `{"heartbeat":` {
		t.Errorf("a tail over HTTP/2 begins with %q, %v", first, err)
	}
}

// Everything at once, for the race detector; and at the end nothing holds a place.
func TestManyCallers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.fill()
	_, url := serve(t, b)
	tail := openTail(t, url, "")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 20 {
				b.store.add(sample(fmt.Sprintf("%d-%d", i, j)), event.Dead)
				for _, target := range []string{"/v1/events?state=dead", "/v1/events/1", "/v1/statistics", "/readyz"} {
					if w := b.get(target); w.Code != http.StatusOK {
						t.Errorf("%s: status %d", target, w.Code)
					}
				}
				b.get("/metrics") // 429 at times
				b.call(http.MethodPost, fmt.Sprintf("/v1/events/%d/replay", 7+i), "")
			}
		})
	}
	for seen := 0; seen < 160; {
		l := tail.next()
		if l.Missed > 0 {
			t.Fatalf("%d events were missed, though the tail holds more than there are", l.Missed)
		}
		if l.Record != nil {
			seen++
		}
	}
	all.Wait()
	tail.close()
	b.FillSlots()()
}
