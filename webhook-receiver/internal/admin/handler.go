package admin

import (
	"cmp"
	"log/slog"
	"net/http"
	"sync"
)

// What may be under way at once.
const (
	maxInFlight = 64 // each may hold an event in memory
	maxScrapes  = 4  // Prometheus comes alone, or in pairs
)

// Handler serves the admin port.
type Handler struct {
	Config
	mux     *http.ServeMux
	metrics *metrics
	scraper http.Handler
	slots   map[access]chan struct{} // each holds a value for each request under way

	stopTails sync.Once
	stopped   chan struct{} // closed: tails end
}

// endpoint is one call.
type endpoint struct {
	method, path string
	// access says who may call it, and what it may cost.
	access access
	// query are the parameters that it knows; all others are errors.
	query []string
	// serve answers, or returns an error for answerError to answer. It must not do both.
	serve func(w http.ResponseWriter, r *http.Request) error
}

type access int

const (
	limited access = iota // with a token, within maxInFlight
	tailing               // with a token, within MaxTails, without end
	open                  // without a token: probes
	scraped               // with a token, within maxScrapes; ignores its query
)

// endpoints is all that is served.
func (h *Handler) endpoints() []endpoint {
	page := []string{"limit", "continue", "order"}
	return []endpoint{
		{method: http.MethodGet, path: "/healthz", access: open, serve: h.healthz},
		{method: http.MethodGet, path: "/readyz", access: open, serve: h.readyz},
		{method: http.MethodGet, path: "/metrics", access: scraped, serve: h.scrape},
		{method: http.MethodGet, path: "/openapi.json", serve: h.openAPI},
		{method: http.MethodGet, path: "/v1/statistics", serve: h.statistics},
		{method: http.MethodGet, path: "/v1/routes", serve: h.routes},
		{method: http.MethodGet, path: "/v1/events", query: append(page, filterNames...), serve: h.list},
		{method: http.MethodGet, path: "/v1/events/{seq}", serve: h.get},
		{method: http.MethodGet, path: "/v1/events/{seq}/data", serve: h.data},
		{method: http.MethodPost, path: "/v1/events/{seq}/replay", serve: h.replay},
		{method: http.MethodPost, path: "/v1/replay", serve: h.replayAll},
		{method: http.MethodGet, path: "/v1/tail", access: tailing, query: filterNames, serve: h.tail},
	}
}

// New returns a handler of the admin port. It fails when a field of c is missing, or its metrics are registered already.
func New(c Config) (*Handler, error) {
	c, err := c.validated()
	if err != nil {
		return nil, err
	}
	h := &Handler{
		Config: c,
		mux:    http.NewServeMux(),
		slots: map[access]chan struct{}{
			limited: make(chan struct{}, maxInFlight),
			tailing: make(chan struct{}, c.MaxTails),
			scraped: make(chan struct{}, maxScrapes),
		},
		stopped: make(chan struct{}),
	}
	if h.metrics, err = newMetrics(c.Registerer, func() float64 { return float64(len(h.slots[tailing])) }); err != nil {
		return nil, err
	}
	h.scraper = h.newScraper()
	for _, e := range h.endpoints() {
		h.mux.Handle(e.path, h.endpoint(e))
	}
	h.mux.Handle("/", h.counted("other", func(http.ResponseWriter, *http.Request) error {
		return &problem{status: http.StatusNotFound, detail: "there is no such path; GET /openapi.json lists all"}
	}))
	return h, nil
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if !isProbe(r.URL.Path) && !admitted(r.Header.Values("Authorization"), h.Token()) {
		h.counted("unauthorized", h.refuse).ServeHTTP(w, r)
		return
	}
	h.mux.ServeHTTP(w, r)
}

// isProbe: the paths that need no token. It stands before the mux, so that only the exact spelling is open.
func isProbe(path string) bool { return path == "/healthz" || path == "/readyz" }

func (h *Handler) endpoint(e endpoint) http.Handler {
	return h.counted(e.path, func(w http.ResponseWriter, r *http.Request) error {
		if r.Method != e.method && (r.Method != http.MethodHead || e.method != http.MethodGet || e.access == tailing) {
			w.Header().Set("Allow", e.method)
			return &problem{status: http.StatusMethodNotAllowed, detail: "this path answers " + e.method + " only"}
		}
		if e.access == limited || e.access == tailing {
			if err := knownOnly(r, e.query); err != nil {
				return err
			}
		}
		release, err := h.admit(e.access)
		if err != nil {
			return err
		}
		defer release()
		return e.serve(w, r)
	})
}

// admit takes the slot that a request needs.
func (h *Handler) admit(a access) (release func(), err error) {
	slots, bounded := h.slots[a]
	if !bounded {
		return func() {}, nil
	}
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, nil
	default:
		return nil, &problem{status: http.StatusTooManyRequests, retryAfter: busyRetry,
			detail: "as many calls of this kind as may be are under way; try again later"}
	}
}

// counted answers with serve, or with the error it returns, and counts the answer.
func (h *Handler) counted(path string, serve func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &statusWriter{ResponseWriter: w}
		defer func() { h.metrics.count(path, cmp.Or(seen.status, http.StatusInternalServerError)) }()
		if err := serve(seen, r); err != nil {
			h.answerError(seen, r, path, err)
		}
	})
}

func (h *Handler) answerError(w http.ResponseWriter, r *http.Request, path string, err error) {
	p := problemOf(err)
	if p.status == http.StatusInternalServerError && r.Context().Err() == nil {
		h.Logger.LogAttrs(r.Context(), slog.LevelError, "answering an admin request", slog.String("path", path), slog.Any("error", err))
	}
	p.write(w)
}

func (h *Handler) endTails() { h.stopTails.Do(func() { close(h.stopped) }) }
