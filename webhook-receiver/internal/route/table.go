package route

import (
	"cmp"
	"slices"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/callout"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

const (
	// EventsPrefix is what the paths of subscriptions begin with; namespace and name follow.
	EventsPrefix = "/events/"
	// SystemPrefix is what the paths of Concur's own questions begin with. No connector may have such a path.
	SystemPrefix = "/system/"
)

// Table is what a routes file says. It never changes; its zero value and nil know no route.
type Table struct {
	subscriptions []Route // sorted, as are the others
	connectors    []Connector
	all           []Route
	byPath        map[string]Route // of subscriptions
	byID          map[event.RouteID]Route
	notify        map[string]bool // the paths of connectors
	byLogin       map[event.RouteID]Connector
	logins        *callout.Set
}

// NewTable makes a table of routes whose IDs differ, and of connectors no two of which share a user name.
func NewTable(subscriptions []Route, connectors []Connector) *Table {
	t := &Table{
		subscriptions: slices.SortedFunc(slices.Values(subscriptions), func(a, b Route) int { return compare(a.ID, b.ID) }),
		connectors:    slices.SortedFunc(slices.Values(connectors), func(a, b Connector) int { return compare(a.ID, b.ID) }),
		byPath:        make(map[string]Route, len(subscriptions)),
		byID:          make(map[event.RouteID]Route, len(subscriptions)+len(connectors)),
		notify:        make(map[string]bool, len(connectors)),
		byLogin:       make(map[event.RouteID]Connector, len(connectors)),
	}
	var logins []callout.Credential
	for _, c := range t.connectors {
		t.all = append(t.all, c.Route())
		t.notify[c.Path] = true
		t.byLogin[c.ID] = c
		for _, l := range c.Credentials {
			logins = append(logins, callout.Credential{Connector: c.ID, Username: l.Username, Password: l.Password, ValidUntil: l.ValidUntil})
		}
	}
	t.logins = callout.NewSet(logins)
	for _, r := range t.subscriptions {
		t.byPath[r.Path()] = r
	}
	t.all = append(t.all, t.subscriptions...)
	for _, r := range t.all {
		t.byID[r.ID] = r
	}
	return t
}

// ByPath returns the subscription whose events are posted to the given path of a URL, decoded.
func (t *Table) ByPath(urlPath string) (Route, bool) {
	if t == nil {
		return Route{}, false
	}
	r, ok := t.byPath[urlPath]
	return r, ok
}

// Notifies reports whether notifications are posted to the given path of a URL, decoded, for any connector.
func (t *Table) Notifies(urlPath string) bool { return t != nil && t.notify[urlPath] }

// ByLogin returns the connector that has these credentials. If none has them, it returns the one that has the user
// name, with ok false: that one's password is wrong, or out of date. How long it takes tells neither of the two.
func (t *Table) ByLogin(username, password string) (c Connector, ok bool) {
	if t == nil || t.logins == nil {
		return Connector{}, false
	}
	owner, ok := t.logins.Match(username, password)
	return t.byLogin[owner], ok
}

// ByID returns the route of that name.
func (t *Table) ByID(id event.RouteID) (Route, bool) {
	if t == nil {
		return Route{}, false
	}
	r, ok := t.byID[id]
	return r, ok
}

// All returns all routes, those of connectors and of subscriptions, sorted by ID.
func (t *Table) All() []Route {
	if t == nil {
		return nil
	}
	return slices.Clone(t.all)
}

// Subscriptions returns the routes of subscriptions, sorted by ID.
func (t *Table) Subscriptions() []Route {
	if t == nil {
		return nil
	}
	return slices.Clone(t.subscriptions)
}

// Connectors returns the connectors, sorted by ID.
func (t *Table) Connectors() []Connector {
	if t == nil {
		return nil
	}
	return slices.Clone(t.connectors)
}

// Path is where events of a subscription are posted.
func (r Route) Path() string {
	return EventsPrefix + r.ID.Namespace + "/" + r.ID.Name
}

func compare(a, b event.RouteID) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}
