package admin

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// statistics is the answer of /v1/statistics. The manager reads it: fields may be added, and none may change.
type statistics struct {
	Time    time.Time          `json:"time"`
	Version string             `json:"version"`
	Store   storeStatistics    `json:"store"`
	Routes  []event.RouteStats `json:"routes"`
}

// storeStatistics are event.StoreStats without the routes, and with every field always there.
type storeStatistics struct {
	Events      uint64        `json:"events"`
	Used        int64         `json:"used"`
	FileSize    int64         `json:"fileSize"`
	MaxSize     int64         `json:"maxSize"`
	Full        bool          `json:"full"`
	Failed      string        `json:"failed"`
	SyncLatency time.Duration `json:"syncLatency"` // nanoseconds
}

func (h *Handler) statistics(w http.ResponseWriter, _ *http.Request) error {
	s := h.Reader.Stats()
	return writeJSON(w, statistics{
		Time:    h.Clock.Now().UTC(),
		Version: h.Version,
		Store: storeStatistics{Events: s.Events, Used: s.Used, FileSize: s.FileSize, MaxSize: s.MaxSize,
			Full: s.Full, Failed: s.Failed, SyncLatency: s.SyncLatency},
		Routes: withIntake(s.Routes, h.Refusals(), h.LastTests()),
	})
}

// withIntake joins what the store knows of routes with what the intake remembers: deliveries that were refused before
// they could get to the store, and tests of connections. Of either there may be some for a route that never had an event.
func withIntake(stored []event.RouteStats, refusals map[event.RouteID]event.Refusals, tests map[event.RouteID]time.Time) []event.RouteStats {
	all := make(map[event.RouteID]event.RouteStats, len(stored))
	for _, s := range stored {
		all[s.Route] = s
	}
	for id, r := range refusals {
		s := all[id]
		s.Route, s.Refusals = id, &r
		all[id] = s
	}
	for id, at := range tests {
		s := all[id]
		s.Route, s.LastTestConnection = id, at.UTC()
		all[id] = s
	}
	routes := slices.AppendSeq(make([]event.RouteStats, 0, len(all)), maps.Values(all)) // never null
	slices.SortFunc(routes, func(a, b event.RouteStats) int { return byRoute(a.Route, b.Route) })
	return routes
}

func byRoute(a, b event.RouteID) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

func (h *Handler) healthz(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("alive\n")) // the kubelet went away
	return nil
}

// readyz answers everybody, so it names no path, no sink and no error of the system.
func (h *Handler) readyz(w http.ResponseWriter, _ *http.Request) error {
	if err := h.unready(); err != nil {
		return &problem{status: http.StatusServiceUnavailable, detail: "not ready: " + err.Error(), retryAfter: busyRetry}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ready\n")) // as above
	return nil
}

func (h *Handler) unready() error {
	if err := h.Ready(); err != nil {
		return err
	}
	switch s := h.Reader.Stats(); {
	case s.Failed != "":
		return errors.New("a write to the store failed, and it takes none until it has been reopened; " +
			"/v1/statistics and the log say what failed")
	case s.Full:
		return errors.New("the store, or its disk, is full; raise journal.bbolt.maxSize or enlarge the disk, or let events be delivered")
	}
	return nil
}

func (h *Handler) scrape(w http.ResponseWriter, r *http.Request) error {
	h.scraper.ServeHTTP(w, r)
	return nil
}

func (h *Handler) newScraper() http.Handler {
	return promhttp.HandlerFor(h.Gatherer, promhttp.HandlerOpts{
		Timeout:       writeTimeout / 2,
		ErrorHandling: promhttp.ContinueOnError, // one bad collector must not hide the others
	})
}
