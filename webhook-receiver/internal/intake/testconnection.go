package intake

import (
	"net/http"
	"sync"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

// TestConnectionPath is what Concur asks for when somebody presses Test Connection (SAP Concur, Callouts and
// Application Connectors). One receiver of the public ones takes a POST as well, so that does no harm.
const TestConnectionPath = route.SystemPrefix + "v1.0/testconnection"

// isTest tells a test of the connection from a delivery. One page of Concur's has the test come to the path above,
// another to the configured endpoint (SAP Concur, Event Notification); a notification is always posted.
func isTest(t *route.Table, r *http.Request) bool {
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	return r.URL.Path == TestConnectionPath || read && t.Notifies(r.URL.Path)
}

// testConnection answers whether the caller's credentials are those of a connector, of any path: the test is of the
// host, which all of them share.
func (h *Handler) testConnection(w http.ResponseWriter, r *http.Request) {
	c, how, err := tested(h.config.Routes(), r)
	answers[how].write(w)
	if how == wrongTestMethod {
		return
	}
	h.metrics.tests.WithLabelValues(string(how)).Inc()
	h.log.write(r, "refusing a test of the connection", c.ID, how, err)
	if how == verified {
		h.tests.note(c.ID, h.config.Now())
	}
}

func tested(t *route.Table, r *http.Request) (c route.Connector, how result, err error) {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	default:
		return c, wrongTestMethod, nil
	}
	if t == nil {
		return c, noRoutes, nil
	}
	if c, err = login(t, r); err != nil {
		return c, wrongCredentials, err
	}
	return c, verified, nil
}

// tests remembers when each connector was last tested with success. Its zero value remembers none.
type tests struct {
	mu   sync.Mutex
	last map[event.RouteID]time.Time
}

func (s *tests) note(id event.RouteID, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		s.last = make(map[event.RouteID]time.Time)
	}
	s.last[id] = at
}

// of returns what is remembered of the connectors in t, and forgets the others.
func (s *tests) of(t *route.Table) map[event.RouteID]time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := make(map[event.RouteID]time.Time, len(s.last))
	for id, at := range s.last {
		if _, ok := t.ByID(id); ok {
			known[id] = at
		} else {
			delete(s.last, id)
		}
	}
	return known
}

// LastTests returns when each connector that is known was last tested with success, since the start.
func (h *Handler) LastTests() map[event.RouteID]time.Time { return h.tests.of(h.config.Routes()) }
