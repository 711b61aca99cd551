package intake

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

// What is stored is all that was sent, except credentials.
func TestEntry(t *testing.T) {
	t.Parallel()
	store := &memory{}
	h, _ := newHandler(t, Config{Store: store, OmitHeaders: []string{"x-forwarded-client-cert"}})
	r := post(path, strings.NewReader(goodBody))
	for _, name := range []string{"Authorization", "Proxy-Authorization", "Cookie", "X-Forwarded-Client-Cert"} {
		r.Header.Set(name, "secret")
	}
	r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	r.Header.Add("Tracestate", "a=1")
	r.Header.Add("Tracestate", "b=2")
	h.ServeHTTP(httptest.NewRecorder(), r)
	parsed := event.Parse(event.Origin{
		Route: id, Source: "https://us2.api.concursolutions.com", SubscriptionID: "acme.reports", ContentType: "application/json",
	}, []byte(goodBody), arrival)
	parsed.Proof = "signature:mine"
	parsed.Header = map[string][]string{
		"Concur-Signature": {"good"},
		"Content-Type":     {"application/json"},
		"Traceparent":      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
		"Tracestate":       {"a=1", "b=2"},
	}
	if diff := cmp.Diff([]event.Entry{{Event: parsed, State: event.Stored}}, store.entries); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason   string
		route    route.Route
		body     string
		state    event.State
		orderKey string
	}{
		"NoSink":      {"it stays to be read", route.Route{}, goodBody, event.Stored, ""},
		"Sink":        {"it goes there", route.Route{Sink: sinkOfTest}, goodBody, event.Pending, ""},
		"AwaitedSink": {"it goes there once somebody knows where", route.Route{AwaitSink: true}, goodBody, event.Pending, ""},
		"Garbage":     {"no sink expects it", route.Route{Sink: sinkOfTest}, "<a/>", event.Quarantined, ""},
		"PerKey":      {"events of one report wait for each other", route.Route{Sink: sinkOfTest, Delivery: route.Delivery{Ordering: route.PerKey}}, goodBody, event.Pending, "R"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &memory{}
			tc.route.ID = id
			h, _ := newHandler(t, Config{Store: store}, tc.route)
			h.ServeHTTP(httptest.NewRecorder(), post(path, strings.NewReader(tc.body)))
			if len(store.entries) != 1 || store.entries[0].State != tc.state || store.entries[0].OrderKey != tc.orderKey {
				t.Errorf("%s: stored %+v, want %s and key %q", tc.reason, store.entries, tc.state, tc.orderKey)
			}
		})
	}
}

// A body of any size and any division into reads arrives as it was sent.
func TestBodyIsStoredByteForByte(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, firstRead - 1, firstRead, firstRead + 1, 2 * firstRead, 3*firstRead + 7, 1 << 20} {
		for _, announced := range []bool{true, false} {
			store := &memory{}
			h, registry := newHandler(t, Config{Store: store, MaxBodySize: 1 << 20})
			body := bytes.Repeat([]byte("é\xff"), size)[:size]
			r := post(path, bytes.NewReader(body))
			if !announced {
				r.ContentLength = -1
			}
			h.ServeHTTP(httptest.NewRecorder(), r)
			if len(store.entries) != 1 || !bytes.Equal(store.entries[0].Event.Body, body) {
				t.Errorf("%d bytes, announced: %t: not stored as sent", size, announced)
			}
			if held := counts(t, registry)["ess_receiver_in_flight_bytes"]; held != 0 {
				t.Errorf("%d bytes, announced: %t: %v bytes are still held", size, announced, held)
			}
		}
	}
}

// A store that hangs is not waited for longer than ESS waits for us.
func TestStoreThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, _ := newHandler(t, Config{Store: storeFunc(func(ctx context.Context, _ event.Entry) (event.Outcome, error) {
			<-ctx.Done()
			return "", ctx.Err()
		})})
		start := time.Now()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, post(path, strings.NewReader(goodBody)))
		if took := time.Since(start); w.Code != http.StatusServiceUnavailable || took != defaultAppendTimeout {
			t.Errorf("status %d after %s", w.Code, took)
		}
	})
}

// While as many requests as are allowed wait for the store, the next is told so at once.
func TestInFlightLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		h, registry := newHandler(t, Config{MaxInFlight: 2, Store: storeFunc(func(context.Context, event.Entry) (event.Outcome, error) {
			<-release
			return event.Accepted, nil
		})})
		for range 2 {
			go h.ServeHTTP(httptest.NewRecorder(), post(path, strings.NewReader(goodBody)))
		}
		synctest.Wait()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, post(path, strings.NewReader(goodBody)))
		if got := counts(t, registry)["ess_receiver_in_flight_requests"]; w.Code != http.StatusServiceUnavailable || got != 2 {
			t.Errorf("status %d with %v in flight", w.Code, got)
		}
		close(release)
		synctest.Wait()
		w = httptest.NewRecorder()
		h.ServeHTTP(w, post(path, strings.NewReader(goodBody)))
		if w.Code != http.StatusOK {
			t.Errorf("status %d with none in flight", w.Code)
		}
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	h, _ := newHandler(t, Config{})
	send := func(signature, target string) {
		r := post(target, strings.NewReader(goodBody))
		r.Header.Set("Concur-Signature", signature)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	send("forged", path)
	send("forged", path)
	send("good", "/events/finance/unknown")
	want := map[event.RouteID]event.Refusals{id: {Count: 2, Since: arrival, Last: arrival, Reason: "nothing proves that it comes from Concur"}}
	if diff := cmp.Diff(want, h.Refusals()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	send("good", path)
	if got := h.Refusals(); len(got) != 0 {
		t.Errorf("after one that was taken: %v", got)
	}
}

// A stranger who tries for long makes a few lines, and none of them repeats what they sent.
func TestLog(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	h, _ := newHandler(t, Config{Logger: slog.New(slog.NewJSONHandler(&lines, nil)), MaxBodySize: 200})
	for range 100 {
		r := post(path, strings.NewReader(`{"secret":"s3cr3t"}`))
		r.Header.Set("Concur-Signature", "s3cr3t")
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	h.ServeHTTP(httptest.NewRecorder(), post(path, strings.NewReader(strings.Repeat("s3cr3t", 100))))
	for _, unknown := range []string{"/events/finance/gone", "/events/finance/s3cr3t!"} {
		r := post(unknown, strings.NewReader("{}"))
		r.RemoteAddr = "192.0.2.1:1234"
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	if !strings.Contains(lines.String(), `"status":503,"from":"192.0.2.1:1234","path":"/events/finance/gone"}`) {
		t.Errorf("nobody learns which route ESS still delivers to, and from where:\n%s", lines.String())
	}
	if n := strings.Count(lines.String(), `"result":"unproven"`); n != 10 {
		t.Errorf("%d lines about 100 forged requests", n)
	}
	if !strings.Contains(lines.String(), `"level":"ERROR","msg":"refusing a delivery: the body is larger than events.maxBodySize"`) {
		t.Errorf("no error about the body that is too large:\n%s", lines.String())
	}
	if strings.Contains(lines.String(), "s3cr3t") {
		t.Errorf("content in the log:\n%s", lines.String())
	}
}
