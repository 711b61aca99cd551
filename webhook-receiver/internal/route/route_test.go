package route_test

import (
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

func subscriptionID(namespace, name string) event.RouteID {
	return event.RouteID{Kind: event.Subscription, Namespace: namespace, Name: name}
}

func sinkTo(t *testing.T, uri string) *route.Sink {
	t.Helper()
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	return &route.Sink{URI: u}
}

func parse(t *testing.T, text string) *route.Table {
	t.Helper()
	table, err := route.Parse([]byte(text))
	if err != nil {
		t.Fatalf("Parse(%s): %v", text, err)
	}
	return table
}

func TestSample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/routes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	table := parse(t, string(text))
	withRetries := route.DefaultDelivery()
	withRetries.Retries = 20
	want := []route.Route{{
		ID:             subscriptionID("finance", "expense-reports"),
		SubscriptionID: "acme.expense-reports",
		Source:         "https://us2.api.concursolutions.com",
		Sink:           sinkTo(t, "http://expense-bot.finance.svc"),
		Delivery:       withRetries,
	}}
	if diff := cmp.Diff(want, table.Subscriptions()); diff != "" {
		t.Errorf("Subscriptions (-want +got):\n%s", diff)
	}
	connectors := []route.Connector{{
		ID:          event.RouteID{Kind: event.Connector, Namespace: "finance", Name: "reports"},
		Path:        "/concur/v1.0/notify",
		Credentials: []route.Credential{{Username: "concur-reports", Password: "…"}},
		Sink:        sinkTo(t, "http://expense-bot.finance.svc"),
		Delivery:    route.DefaultDelivery(),
	}}
	if diff := cmp.Diff(connectors, table.Connectors()); diff != "" {
		t.Errorf("Connectors (-want +got):\n%s", diff)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	table := parse(t, "subscriptions: [{namespace: a, name: b.c, source: 'https://us.example.com/', awaitSink: true}]")
	want := []route.Route{{
		ID: subscriptionID("a", "b.c"), SubscriptionID: "a.b.c", Source: "https://us.example.com", AwaitSink: true,
		Delivery: route.Delivery{
			Retries: -1, BackoffPolicy: route.Exponential, BackoffDelay: time.Second, Timeout: 30 * time.Second,
			Ordering: route.Unordered, Format: route.Binary,
		},
	}}
	if diff := cmp.Diff(want, table.Subscriptions()); diff != "" {
		t.Errorf("Subscriptions (-want +got):\n%s", diff)
	}
}

func TestLongestNames(t *testing.T) {
	t.Parallel()
	namespace, name := strings.Repeat("n", 63), strings.Repeat("m", 253)
	table := parse(t, "subscriptions: [{namespace: "+namespace+", name: "+name+", source: 'https://us.example.com'}]")
	if got, want := table.All()[0].SubscriptionID, namespace+"."+name; got != want {
		t.Errorf("SubscriptionID = %q, want %q", got, want)
	}
}

func TestEveryKey(t *testing.T) {
	t.Parallel()
	table := parse(t, `
subscriptions:
- namespace: a
  name: b
  source: http://localhost:8080
  sink: {uri: "https://sink.example.com/in?x=1"}
  delivery:
    retry: 0
    backoffPolicy: linear
    backoffDelay: PT0.5S
    timeout: PT0.5H15M
    ordering: PerKey
    format: json
    deadLetterSink: {uri: http://dead.example.com}
`)
	want := route.Delivery{
		Retries: 0, BackoffPolicy: route.Linear, BackoffDelay: 500 * time.Millisecond, Timeout: 45 * time.Minute,
		DeadLetterSink: sinkTo(t, "http://dead.example.com"), Ordering: route.PerKey, Format: route.Structured,
	}
	if diff := cmp.Diff(want, table.All()[0].Delivery); diff != "" {
		t.Errorf("Delivery (-want +got):\n%s", diff)
	}
}

func TestLookups(t *testing.T) {
	t.Parallel()
	table := parse(t, `
subscriptions:
- {namespace: b, name: a, source: "https://us.example.com"}
- {namespace: a, name: z, source: "https://us.example.com"}
- {namespace: a, name: b, source: "https://us.example.com"}
`)
	var paths []string
	for _, r := range table.All() {
		paths = append(paths, r.Path())
		byPath, ok := table.ByPath(r.Path())
		byID, found := table.ByID(r.ID)
		if !ok || !found || byPath.ID != r.ID || byID.ID != r.ID {
			t.Errorf("route %v is not found by its path or ID", r.ID)
		}
	}
	if diff := cmp.Diff([]string{"/events/a/b", "/events/a/z", "/events/b/a"}, paths); diff != "" {
		t.Errorf("paths in order (-want +got):\n%s", diff)
	}
	for _, path := range []string{"", "/events/a", "/events/a/b/", "/events/A/b", "/events//a/b", "/events/b/z"} {
		if _, ok := table.ByPath(path); ok {
			t.Errorf("ByPath(%q) finds a route", path)
		}
	}
	if _, ok := table.ByID(event.RouteID{Kind: event.Connector, Namespace: "a", Name: "b"}); ok {
		t.Error("a connector is found by the name of a subscription")
	}
}

func TestEmptyTables(t *testing.T) {
	t.Parallel()
	for name, table := range map[string]*route.Table{"nil": nil, "zero": {}, "nothing subscribed": parse(t, "subscriptions: []\n"), "no connector": parse(t, "connectors: []\n")} {
		_, byPath := table.ByPath("/events/a/b")
		_, byID := table.ByID(subscriptionID("a", "b"))
		_, byLogin := table.ByLogin("user", "password")
		known := len(table.All()) + len(table.Subscriptions()) + len(table.Connectors())
		if byPath || byID || byLogin || known > 0 || table.Notifies(route.DefaultNotifyPath) {
			t.Errorf("%s: the table knows a route", name)
		}
	}
}

// operatorsFile is what the operator's own tests hold its renderer to.
func operatorsFile(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../../controllers/routes/testdata/routes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestFileOfTheOperator(t *testing.T) {
	t.Parallel()
	if routes := parse(t, operatorsFile(t)).All(); len(routes) < 5 {
		t.Errorf("what the operator renders has %d routes, want a sample of all forms", len(routes))
	}
}
