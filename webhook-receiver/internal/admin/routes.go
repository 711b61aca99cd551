package admin

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

// routesAnswer is the answer of /v1/routes.
type routesAnswer struct {
	Loaded  time.Time   `json:"loaded"`
	Routes  []routeInfo `json:"routes"`
	Refused *refusal    `json:"refused,omitempty"`
}

type refusal struct {
	Time  time.Time `json:"time"`
	Error string    `json:"error"`
}

// routeInfo is a route without what must stay secret. It names each field it shows, so that a field that route.Route
// may get one day is not shown by chance.
type routeInfo struct {
	event.RouteID
	// Path is where events are posted.
	Path           string       `json:"path"`
	SubscriptionID string       `json:"subscriptionID,omitempty"`
	Source         string       `json:"source,omitempty"`
	Sink           *sinkInfo    `json:"sink,omitempty"`
	AwaitSink      bool         `json:"awaitSink"`
	Delivery       deliveryInfo `json:"delivery"`
}

type sinkInfo struct {
	URI       string `json:"uri"`
	PrivateCA bool   `json:"privateCA"`
}

// deliveryInfo has durations as Go writes them.
type deliveryInfo struct {
	// Retry is left out when events are tried until the retention of the store ends.
	Retry          *int                `json:"retry,omitempty"`
	BackoffPolicy  route.BackoffPolicy `json:"backoffPolicy"`
	BackoffDelay   string              `json:"backoffDelay"`
	Timeout        string              `json:"timeout"`
	DeadLetterSink *sinkInfo           `json:"deadLetterSink,omitempty"`
	Ordering       route.Ordering      `json:"ordering"`
	Format         route.Format        `json:"format"`
}

func (h *Handler) routes(w http.ResponseWriter, _ *http.Request) error {
	file := h.Routes()
	answer := routesAnswer{Loaded: file.Loaded.UTC(), Routes: describeAll(file.Table)}
	slices.SortFunc(answer.Routes, func(a, b routeInfo) int { return byRoute(a.RouteID, b.RouteID) })
	if file.Refused != nil {
		answer.Refused = &refusal{Time: file.RefusedAt.UTC(), Error: file.Refused.Error()}
	}
	return writeJSON(w, answer)
}

func describeAll(t *route.Table) []routeInfo {
	infos := []routeInfo{} // never null
	for _, r := range t.Subscriptions() {
		infos = append(infos, describe(r, r.Path()))
	}
	for _, c := range t.Connectors() {
		infos = append(infos, describe(c.Route(), c.Path))
	}
	return infos
}

func describe(r route.Route, path string) routeInfo {
	d := r.Delivery
	info := deliveryInfo{
		BackoffPolicy: d.BackoffPolicy, BackoffDelay: d.BackoffDelay.String(), Timeout: d.Timeout.String(),
		DeadLetterSink: describeSink(d.DeadLetterSink), Ordering: d.Ordering, Format: d.Format,
	}
	if d.Retries >= 0 {
		info.Retry = &d.Retries
	}
	return routeInfo{RouteID: r.ID, Path: path, SubscriptionID: r.SubscriptionID, Source: r.Source,
		Sink: describeSink(r.Sink), AwaitSink: r.AwaitSink, Delivery: info}
}

// describeSink shows where, and not with which key: people put tokens into user info and queries.
func describeSink(s *route.Sink) *sinkInfo {
	if s == nil {
		return nil
	}
	at := url.URL{Scheme: s.URI.Scheme, Host: s.URI.Host, Path: s.URI.Path, RawPath: s.URI.RawPath}
	return &sinkInfo{URI: at.String(), PrivateCA: len(s.CABundle) > 0}
}
