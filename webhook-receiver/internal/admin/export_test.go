package admin

import (
	"reflect"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// What tests of the package's outside need of its inside.
const (
	LineTime    = lineTime
	MaxBody     = maxBody
	MaxInFlight = maxInFlight
)

var (
	Admitted = admitted
	Cursor   = cursor
	After    = after
)

// Endpoint is what callers see of an endpoint.
type Endpoint struct {
	Method, Path string
	Query        []string
	Open         bool
}

// Endpoints lists all that h serves.
func (h *Handler) Endpoints() []Endpoint {
	var all []Endpoint
	for _, e := range h.endpoints() {
		all = append(all, Endpoint{e.method, e.path, e.query, e.access == open})
	}
	return all
}

// ReplayFields are the fields that a replay's body may have.
func ReplayFields() []string {
	var names []string
	for f := range reflect.TypeFor[replayRequest]().Fields() {
		names = append(names, f.Tag.Get("json"))
	}
	return names
}

// ParseReplay returns the filters of a body.
func ParseReplay(body []byte) ([]event.Filter, bool, error) {
	s, err := parseReplay(body)
	return s.filters, s.dryRun, err
}

// FillSlots waits until no request is under way, and lets none in until the function it returns is called.
func (h *Handler) FillSlots() (release func()) {
	each := func(do func(chan struct{})) {
		for _, slots := range h.slots {
			for range cap(slots) {
				do(slots)
			}
		}
	}
	each(func(slots chan struct{}) { slots <- struct{}{} })
	return func() { each(func(slots chan struct{}) { <-slots }) }
}
