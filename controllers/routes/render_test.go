package routes_test

import (
	"bytes"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/login"
	"github.com/ess-operator/ess-operator/controllers/routes"
)

// update writes the golden file instead of comparing with it. A test of the
// receiver's parser reads the same file.
var update = flag.Bool("update", false, "write testdata/routes.yaml instead of comparing with it")

const golden = "testdata/routes.yaml"

// root is a certificate, PEM, of a CA made for this test.
func root(t *testing.T) []byte {
	t.Helper()
	pem, err := os.ReadFile("testdata/ca.pem")
	if err != nil {
		t.Fatal(err)
	}
	return pem
}

func receiver(name string, changes ...func(*v1alpha1.EventSubscription)) v1alpha1.EventSubscription {
	sub := v1alpha1.EventSubscription{
		ObjectMeta: metav1.ObjectMeta{Namespace: "finance", Name: name, Generation: 1},
		Spec: v1alpha1.EventSubscriptionSpec{
			ConnectionRef: v1alpha1.ConnectionRef{Name: "acme-us"},
			Topic:         "public.concur.expense.report",
			Endpoint:      v1alpha1.Endpoint{Receiver: &v1alpha1.ReceiverEndpoint{}},
		},
	}
	for _, change := range changes {
		change(&sub)
	}
	return sub
}

func service(namespace string) v1alpha1.Sink {
	return v1alpha1.Sink{Ref: v1alpha1.SinkRef{APIVersion: "v1", Kind: "Service", Name: "expense-bot", Namespace: namespace}}
}

func broker() v1alpha1.Sink {
	return v1alpha1.Sink{Ref: v1alpha1.SinkRef{APIVersion: "eventing.knative.dev/v1", Kind: "Broker", Name: "default"}}
}

// world has one object of each kind of route.
func world(t *testing.T) routes.World {
	ca := root(t)
	return routes.World{
		Connectors: connectors(),
		Logins: map[types.NamespacedName]login.Login{
			name("finance/reports"): pair("user-of-reports"), name("finance/awaited"): pair("user-of-awaited"),
			name("sales/plain"): pair("user-of-plain"), name("sales/withdrawn"): {}, name("sales/younger"): pair("user-of-plain"),
			name("sales/never"): {},
		},
		Now:    noon,
		Before: []byte(beforeRotation),
		Connections: []v1alpha1.ConcurConnection{
			{
				ObjectMeta: metav1.ObjectMeta{Namespace: "finance", Name: "acme-us"},
				Spec:       v1alpha1.ConcurConnectionSpec{BaseURL: "https://us.api.concursolutions.com"},
				Status:     v1alpha1.ConcurConnectionStatus{Geolocation: "https://us2.api.concursolutions.com/"},
			},
			{
				ObjectMeta: metav1.ObjectMeta{Namespace: "travel", Name: "acme-eu"},
				Spec:       v1alpha1.ConcurConnectionSpec{BaseURL: "https://eu.api.concursolutions.com", APIURL: "https://eu2.api.concursolutions.com"},
			},
		},
		Subscriptions: []v1alpha1.EventSubscription{
			receiver("stored", func(s *v1alpha1.EventSubscription) { s.Spec.SubscriptionID = "acme.stored" }),
			receiver("service", func(s *v1alpha1.EventSubscription) {
				s.Spec.Sink = service("")
				s.Spec.Sink.Port, s.Spec.Sink.Path = 8080, "/events"
				s.Spec.Suspend = true // ESS delivers all the same
			}),
			receiver("own-endpoint", func(s *v1alpha1.EventSubscription) {
				s.Spec.Endpoint = v1alpha1.Endpoint{URL: "https://events.example.com"}
			}),
			receiver("everything", func(s *v1alpha1.EventSubscription) {
				s.Spec.Sink = v1alpha1.Sink{URI: "https://bot.example.com/in?tenant=acme", CABundle: ca}
				s.Spec.Delivery = v1alpha1.Delivery{
					Retry: new(int32(0)), BackoffPolicy: v1alpha1.BackoffLinear, BackoffDelay: "PT0.5S", Timeout: "PT1M30S",
					Ordering: v1alpha1.OrderingPerKey, Format: v1alpha1.FormatJSON, DeadLetterSink: broker(),
				}
				s.Status.DeadLetterSinkURI, s.Status.DeadLetterSinkCACerts = "https://broker.knative/dead", string(ca)
				s.DeletionTimestamp = &metav1.Time{} // it is there until it is gone
			}),
			receiver("broker-found", func(s *v1alpha1.EventSubscription) {
				s.Spec.Sink, s.Status.SinkURI = broker(), "http://broker.knative/finance/default"
			}),
			receiver("broker-awaited", func(s *v1alpha1.EventSubscription) {
				s.Spec.Sink, s.Spec.Delivery.Ordering = broker(), v1alpha1.OrderingPerKey
			}),
			receiver("dead-letter-sink-awaited", func(s *v1alpha1.EventSubscription) {
				s.Spec.Sink, s.Spec.Delivery.DeadLetterSink = service(""), broker()
			}),
			receiver("other-namespace", func(s *v1alpha1.EventSubscription) {
				s.Spec.Sink, s.Status.SinkURI = service("sales"), "http://old.example.com"
			}),
			receiver("no-connection", func(s *v1alpha1.EventSubscription) { s.Spec.ConnectionRef.Name = "none" }),
			receiver("null", func(s *v1alpha1.EventSubscription) { s.Spec.SubscriptionID = "1e3" }), // YAML takes these for something else
			receiver("trips", func(s *v1alpha1.EventSubscription) {
				s.Namespace, s.Spec.ConnectionRef.Name, s.Spec.SubscriptionID = "travel", "acme-eu", strings.Repeat("a", 317)
			}),
		},
	}
}

func render(t *testing.T, w routes.World) (string, int) {
	t.Helper()
	rendered, err := routes.Render(w)
	if err != nil {
		t.Fatal(err)
	}
	return string(rendered.Text), rendered.Count
}

func TestGoldenFile(t *testing.T) {
	t.Parallel()
	got, count := render(t, world(t))
	if count != 13 {
		t.Errorf("%d routes, want 13: all that use the receiver and have a connection, and all connectors with a login of their own", count)
	}
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("routes (-want +got); run with -update if they are meant to change, and the tests of webhook-receiver/internal/route:\n%s", diff)
	}
}

func TestEqualWorldsGiveEqualBytes(t *testing.T) {
	t.Parallel()
	w := world(t)
	first, _ := render(t, w)
	slices.Reverse(w.Subscriptions)
	slices.Reverse(w.Connections)
	slices.Reverse(w.Connectors)
	w.Before = []byte(first)
	if second, _ := render(t, w); second != first {
		t.Errorf("the order of a list changes the file:\n%s", cmp.Diff(first, second))
	}
}

func TestCrossNamespaceSinks(t *testing.T) {
	t.Parallel()
	w := world(t)
	w.CrossNamespaceSinks = true
	if text, _ := render(t, w); !strings.Contains(text, "uri: http://expense-bot.sales.svc\n") {
		t.Errorf("an allowed sink in another namespace has no route:\n%s", text)
	}
}

func TestRouteOutlivesItsConnection(t *testing.T) {
	t.Parallel()
	w := world(t)
	before, count := render(t, w)
	w.Connections, w.Before = nil, []byte(before)
	text, again := render(t, w)
	if text != before || again != count {
		t.Errorf("without connections, routes that were there differ:\n%s", cmp.Diff(before, text))
	}
	w.Before, w.Connectors = []byte("- what: is this"), nil
	if _, count := render(t, w); count != 0 {
		t.Errorf("%d routes of which nobody knows the data center", count)
	}
}

func TestNothingToRoute(t *testing.T) {
	t.Parallel()
	text, count := render(t, routes.World{})
	if count != 0 || !bytes.HasSuffix([]byte(text), []byte("\nsubscriptions: []\n")) {
		t.Errorf("%d routes: %s", count, text)
	}
}

func TestOneBadObjectSpoilsNoOther(t *testing.T) {
	t.Parallel()
	w := world(t)
	w.Connectors = nil
	w.Subscriptions = []v1alpha1.EventSubscription{receiver("bad", func(s *v1alpha1.EventSubscription) {
		s.Spec.Sink = v1alpha1.Sink{URI: "http://bot:99999/", CABundle: []byte("none")}
	}), receiver("bad-status", func(s *v1alpha1.EventSubscription) { s.Spec.Sink, s.Status.SinkURI = broker(), "nonsense" })}
	text, count := render(t, w)
	if count != 2 || strings.Contains(text, "uri") || strings.Count(text, "awaitSink: true") != 2 {
		t.Errorf("the receiver would refuse the whole file:\n%s", text)
	}
}
