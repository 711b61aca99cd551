package sink_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/binding"
	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	"github.com/cloudevents/sdk-go/v2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/sink"
)

// received reads a request as the official SDK does.
func received(t *testing.T, r request) *cloudevents.Event {
	t.Helper()
	in := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(r.Body))
	in.Header = r.Header
	e, err := binding.ToEvent(t.Context(), cehttp.NewMessageFromHttpRequest(in))
	if err != nil {
		t.Fatalf("the SDK cannot read it: %v", err)
	}
	if err := e.Validate(); err != nil {
		t.Fatalf("the SDK holds it for invalid: %v", err)
	}
	return e
}

// attributes returns all attributes of an event that the SDK has read, in their string form. The SDK does not undo
// the percent-encoding of headers, which the protocol binding asks consumers to do.
func attributes(t *testing.T, e *cloudevents.Event, decode func(string) (string, error)) map[string]string {
	t.Helper()
	all := map[string]string{
		"specversion": e.SpecVersion(), "id": e.ID(), "source": e.Source(), "type": e.Type(),
		"subject": e.Subject(), "datacontenttype": e.DataContentType(), "time": types.FormatTime(e.Time()),
	}
	for name, value := range e.Extensions() {
		text, err := types.Format(value)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = text
	}
	for name, value := range all {
		plain, err := decode(value)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if all[name] = plain; value == "" {
			delete(all, name)
		}
	}
	return all
}

func plain(s string) (string, error) { return s, nil }

// want is what e must arrive as.
func want(e event.Event) map[string]string {
	all := map[string]string{}
	for _, a := range e.Attributes() {
		all[a.Name] = a.Value
	}
	return all
}

// hostile are events whose values are hard on encoders. All are legal as CloudEvents attributes.
func hostile() []event.Event {
	var all []event.Event
	for _, value := range []string{
		"ItineraryCreated| ItineraryUpdated", `a "quoted" word`, "100%", "%41", "Zürich", "経費", "🧾", "a\u00a0b", `back\slash`,
		"semi;colon,comma", "<&>", "a\u2028b", "'; drop table --",
	} {
		e := event.Event{
			Route: origin.Route, ID: value, Source: "https://us2.api.concursolutions.com/x", Type: value, Subject: value, Time: arrival,
			DataContentType: "application/json", SubscriptionID: value, Topic: value, EventType: value,
			CorrelationID: value, CompanyID: value, Body: []byte("{\"a\" : 1.0,\t\"b\":\"\\u00fc<>&\"}"),
		}
		all = append(all, e)
	}
	return all
}

func TestEverySampleArrivesAsItIs(t *testing.T) {
	t.Parallel()
	server, got := recorder(t, nil)
	c := client(t, sink.Config{})
	for _, s := range samples(t) {
		if err := send(t, c, at(t, server.URL), s.Event, route.Binary); err != nil {
			t.Fatal(err)
		}
		arrived := received(t, <-got)
		if diff := cmp.Diff(want(s.Event), attributes(t, arrived, url.PathUnescape)); diff != "" {
			t.Errorf("%s: binary (-want +got):\n%s", s.file, diff)
		}
		if !bytes.Equal(arrived.Data(), s.Body) {
			t.Errorf("%s: binary: the data is not the body", s.file)
		}

		if err := send(t, c, at(t, server.URL), s.Event, route.Structured); err != nil {
			t.Fatal(err)
		}
		raw := <-got
		arrived = received(t, raw)
		if diff := cmp.Diff(want(s.Event), attributes(t, arrived, plain)); diff != "" {
			t.Errorf("%s: structured (-want +got):\n%s", s.file, diff)
		}
		if !bytes.Contains(raw.Body, s.Body) {
			t.Errorf("%s: structured: the body is not in there byte for byte", s.file)
		}
		if !bytes.Equal(arrived.Data(), bytes.TrimSpace(s.Body)) {
			t.Errorf("%s: structured: got data %s", s.file, arrived.Data())
		}
	}
}

func TestHostileAttributesArriveAsTheyAre(t *testing.T) {
	t.Parallel()
	server, got := recorder(t, nil)
	c := client(t, sink.Config{})
	for _, e := range hostile() {
		for format, decode := range map[route.Format]func(string) (string, error){route.Binary: url.PathUnescape, route.Structured: plain} {
			if err := send(t, c, at(t, server.URL), e, format); err != nil {
				t.Fatalf("%q: %v", e.ID, err)
			}
			arrived := received(t, <-got)
			if diff := cmp.Diff(want(e), attributes(t, arrived, decode)); diff != "" {
				t.Errorf("%q: %s (-want +got):\n%s", e.ID, format, diff)
			}
			if !bytes.Equal(arrived.Data(), e.Body) {
				t.Errorf("%q: %s: got data %s", e.ID, format, arrived.Data())
			}
		}
	}
}

func TestDataThatIsNotJSON(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason    string
		mediaType string
		body      []byte
		arrives   string // in binary mode
	}{
		"XML":        {"Another media type is never embedded as JSON.", "application/xml", []byte("<a>ü</a>"), "application/xml"},
		"JSONInText": {"Nor is JSON that calls itself a text.", "text/plain", []byte(`{"a":1}`), "text/plain"},
		"BrokenJSON": {"Embedded, it would break the whole.", "application/json", []byte(`{"a":`), "application/json"},
		"BrokenUTF8": {"JSON is UTF-8.", "application/json", []byte("{\"a\":\"\xff\"}"), "application/json"},
		"Bytes":      {"Any bytes at all.", "application/octet-stream", []byte{0, 255, 10, 13}, "application/octet-stream"},
		"BadType":    {"A media type that cannot be a header must not make the event undeliverable.", "a\nb", []byte("x"), "application/octet-stream"},
		"NoType":     {"What is not known is not told.", "", []byte("x"), ""},
		"OtherJSON":  {"The SDK cannot read this when it is embedded.", "application/a+json", []byte(`{"a": 1}`), "application/a+json"},
		"Parameters": {"JSON all the same.", "application/json; charset=utf-8", []byte(`{"a": 1}`), "application/json; charset=utf-8"},
	}
	server, got := recorder(t, nil)
	c := client(t, sink.Config{})
	for name, tc := range tests {
		e := event.Event{ID: "1", Source: "/s", Type: "t", Time: time.Now(), DataContentType: tc.mediaType, Body: tc.body}
		for _, format := range []route.Format{route.Binary, route.Structured} {
			if err := send(t, c, at(t, server.URL), e, format); err != nil {
				t.Fatalf("%s: %s: %v", name, tc.reason, err)
			}
			r := <-got
			if kind := r.Header.Get("Content-Type"); format == route.Binary && kind != tc.arrives {
				t.Errorf("%s: %s: got Content-Type %q, want %q", name, tc.reason, kind, tc.arrives)
			}
			if name == "BadType" && format == route.Structured {
				continue // the SDK refuses to read such a type
			}
			if arrived := received(t, r); !bytes.Equal(arrived.Data(), tc.body) {
				t.Errorf("%s: %s: %s: got data %q", name, tc.reason, format, arrived.Data())
			}
		}
	}
}
