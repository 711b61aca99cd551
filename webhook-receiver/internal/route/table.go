package route

import (
	"cmp"
	"slices"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// EventsPrefix is what the paths of subscriptions begin with; namespace and name follow.
const EventsPrefix = "/events/"

// Table is what a routes file says. It never changes; its zero value and nil know no route.
type Table struct {
	routes     []Route // sorted
	connectors []Connector
	byPath     map[string]int
	byID       map[event.RouteID]int
}

// NewTable makes a table of routes whose IDs differ.
func NewTable(routes []Route, connectors []Connector) *Table {
	t := &Table{
		routes:     slices.SortedFunc(slices.Values(routes), func(a, b Route) int { return compare(a.ID, b.ID) }),
		connectors: slices.SortedFunc(slices.Values(connectors), func(a, b Connector) int { return compare(a.ID, b.ID) }),
		byPath:     make(map[string]int, len(routes)),
		byID:       make(map[event.RouteID]int, len(routes)),
	}
	for i, r := range t.routes {
		t.byPath[r.Path()] = i
		t.byID[r.ID] = i
	}
	return t
}

// ByPath returns the route whose events are posted to the given path of a URL, decoded.
func (t *Table) ByPath(urlPath string) (Route, bool) {
	if t == nil {
		return Route{}, false
	}
	i, ok := t.byPath[urlPath]
	if !ok {
		return Route{}, false
	}
	return t.routes[i], true
}

// ByID returns the route of that name.
func (t *Table) ByID(id event.RouteID) (Route, bool) {
	if t == nil {
		return Route{}, false
	}
	i, ok := t.byID[id]
	if !ok {
		return Route{}, false
	}
	return t.routes[i], true
}

// All returns all routes, sorted by ID.
func (t *Table) All() []Route {
	if t == nil {
		return nil
	}
	return slices.Clone(t.routes)
}

// Connectors returns the connectors of the file, sorted by ID. They are read and checked, but not served
// yet, so they are no routes.
func (t *Table) Connectors() []Connector {
	if t == nil {
		return nil
	}
	return slices.Clone(t.connectors)
}

// Path is where events of the route are posted.
func (r Route) Path() string {
	return EventsPrefix + r.ID.Namespace + "/" + r.ID.Name
}

func compare(a, b event.RouteID) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}
