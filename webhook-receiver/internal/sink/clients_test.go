package sink

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

func TestTheNumberOfBundlesIsBounded(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	bundle := func(n int) []byte { return fmt.Appendf(bytes.Clone(certificate), "# %d\n", n) }

	c := New(Config{})
	first, failure := c.clients.get(bundle(0))
	if failure != nil {
		t.Fatal(failure)
	}
	for n := range 2 * maxBundles {
		if _, failure := c.clients.get(bundle(n)); failure != nil {
			t.Fatal(failure)
		}
		if again, _ := c.clients.get(bundle(0)); again != first {
			t.Fatalf("after %d bundles: the one that is always used was dropped", n)
		}
	}
	if n := len(c.clients.byPEM); n != maxBundles {
		t.Errorf("got %d, want %d", n, maxBundles)
	}
}

func TestNoProxyOfTheEnvironment(t *testing.T) {
	t.Parallel()
	if New(Config{}).clients.transport(nil).Proxy != nil {
		t.Error("a proxy would be checked against the deny list in place of the sink")
	}
}

func BenchmarkSend(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	u, err := url.Parse(server.URL)
	if err != nil {
		b.Fatal(err)
	}
	e := event.Event{
		ID: "0f1a3f6c-0000-0000-0000-000000000000", Source: "https://us2.api.concursolutions.com/events/v4/subscriptions/a", Type: "t",
		Time: time.Now(), DataContentType: "application/json", Topic: "public.concur.expense.report", Body: []byte(`{"a":[1]}`),
	}
	for _, format := range []route.Format{route.Binary, route.Structured} {
		b.Run(string(format), func(b *testing.B) {
			c := New(Config{})
			defer c.Close()
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Send(b.Context(), route.Sink{URI: u}, e, format); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	e := event.Event{
		ID: "1", Source: "/s", Type: "t", Time: time.Now(), DataContentType: "application/json",
		Body: append(append([]byte(`["`), bytes.Repeat([]byte("a"), 2000)...), `"]`...),
	}
	for _, format := range []route.Format{route.Binary, route.Structured} {
		b.Run(string(format), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				encode(e, format)
			}
		})
	}
}
