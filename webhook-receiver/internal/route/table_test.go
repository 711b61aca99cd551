package route_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

const withConnectors = `
subscriptions:
- {namespace: a, name: b, source: "https://us.example.com"}
connectors:
- {namespace: b, name: trips, credentials: [{username: trips, password: one}, {username: trips, password: two}], awaitSink: true}
- {namespace: a, name: b, path: /in, credentials: [{username: reports, password: one}], sink: {uri: "http://sink"}, delivery: {ordering: PerKey}}
`

func connectorID(namespace, name string) event.RouteID {
	return event.RouteID{Kind: event.Connector, Namespace: namespace, Name: name}
}

// Whoever delivers, or looks for what nobody will take, sees one list.
func TestConnectorsAreRoutes(t *testing.T) {
	t.Parallel()
	table := parse(t, withConnectors)
	var ids []event.RouteID
	for _, r := range table.All() {
		ids = append(ids, r.ID)
	}
	want := []event.RouteID{connectorID("a", "b"), connectorID("b", "trips"), subscriptionID("a", "b")}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("All (-want +got):\n%s", diff)
	}
	inOrder := route.DefaultDelivery()
	inOrder.Ordering = route.PerKey
	for id, want := range map[event.RouteID]route.Route{
		connectorID("a", "b"):     {ID: connectorID("a", "b"), Sink: sinkTo(t, "http://sink"), Delivery: inOrder},
		connectorID("b", "trips"): {ID: connectorID("b", "trips"), AwaitSink: true, Delivery: route.DefaultDelivery()},
	} {
		got, ok := table.ByID(id)
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("ByID(%s), found: %t (-want +got):\n%s", id, ok, diff)
		}
	}
	for path, want := range map[string]bool{route.DefaultNotifyPath: true, "/in": true, "/in/": false, "/events/a/b": false, "": false} {
		if got := table.Notifies(path); got != want {
			t.Errorf("Notifies(%q) = %t", path, got)
		}
	}
}

func TestByLogin(t *testing.T) {
	t.Parallel()
	table := parse(t, withConnectors)
	for name, tc := range map[string]struct {
		reason             string
		username, password string
		want               event.RouteID
		ok                 bool
	}{
		"First":         {"One of two pairs during rotation.", "trips", "one", connectorID("b", "trips"), true},
		"Second":        {"The other.", "trips", "two", connectorID("b", "trips"), true},
		"Other":         {"The user name tells connectors apart.", "reports", "one", connectorID("a", "b"), true},
		"WrongPassword": {"It is told whose is wrong.", "reports", "two", connectorID("a", "b"), false},
		"UnknownUser":   {"It is nobody's.", "strangers", "one", event.RouteID{}, false},
		"Nothing":       {"It is nobody's.", "", "", event.RouteID{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c, ok := table.ByLogin(tc.username, tc.password); c.ID != tc.want || ok != tc.ok {
				t.Errorf("%s\nByLogin = %s, %t; want %s, %t", tc.reason, c.ID, ok, tc.want, tc.ok)
			}
		})
	}
}
