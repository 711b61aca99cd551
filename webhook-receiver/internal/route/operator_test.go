package route_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

// TestParsesWhatTheOperatorRenders reads the file that the operator's own tests
// hold its renderer to. The two share no code, so that a key that one of them
// misspells is seen here.
func TestParsesWhatTheOperatorRenders(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../controllers/routes/testdata/routes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	table, err := route.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range table.Subscriptions() {
		got[r.ID.Namespace+"/"+r.ID.Name] = told(r)
	}
	const us = "https://us2.api.concursolutions.com"
	want := map[string]string{
		"finance/broker-awaited":           us + " finance.broker-awaited awaited",
		"finance/broker-found":             us + " finance.broker-found http://broker.knative/finance/default",
		"finance/dead-letter-sink-awaited": us + " finance.dead-letter-sink-awaited awaited",
		"finance/everything":               us + " finance.everything https://bot.example.com/in?tenant=acme",
		"finance/null":                     us + " 1e3 stored",
		"finance/other-namespace":          us + " finance.other-namespace awaited",
		"finance/service":                  us + " finance.service http://expense-bot.finance.svc:8080/events",
		"finance/stored":                   us + " acme.stored stored",
		"travel/trips":                     "https://eu2.api.concursolutions.com " + strings.Repeat("a", 317) + " stored",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
	checkDelivery(t, table)
}

// told is a route in a line: source, id, sink.
func told(r route.Route) string {
	sink := "stored"
	switch {
	case r.Sink != nil:
		sink = r.Sink.URI.String()
	case r.AwaitSink:
		sink = "awaited"
	}
	return r.Source + " " + r.SubscriptionID + " " + sink
}

func checkDelivery(t *testing.T, table *route.Table) {
	t.Helper()
	everything, ok := table.ByID(event.RouteID{Kind: event.Subscription, Namespace: "finance", Name: "everything"})
	if !ok || everything.Delivery.DeadLetterSink == nil {
		t.Fatalf("the route with all settings is %+v", everything)
	}
	for name, ca := range map[string][]byte{"sink": everything.Sink.CABundle, "dead letter sink": everything.Delivery.DeadLetterSink.CABundle} {
		if !strings.HasPrefix(string(ca), "-----BEGIN CERTIFICATE-----\n") {
			t.Errorf("the CA bundle of the %s is %q", name, ca)
		}
	}
	if uri := everything.Delivery.DeadLetterSink.URI.String(); uri != "https://broker.knative/dead" {
		t.Errorf("the dead letter sink is %s", uri)
	}
	got := everything.Delivery
	got.DeadLetterSink = nil
	want := route.Delivery{
		Retries: 0, BackoffPolicy: route.Linear, BackoffDelay: 500 * time.Millisecond, Timeout: 90 * time.Second,
		Ordering: route.PerKey, Format: route.Structured,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("delivery (-want +got):\n%s", diff)
	}
}
