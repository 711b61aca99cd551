package event_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

func TestParseQuarantines(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		body   string
		id     string // empty: the hash
		want   string
	}{
		"Empty": {
			reason: "a retry would bring the same",
			want:   "the body is empty",
		},
		"Broken": {
			reason: "the raw bytes are kept, and the message quotes none of them",
			body:   `{"secret`,
			want:   "the body is not JSON: it breaks off or goes wrong at byte 8",
		},
		"XML": {
			reason: "somebody registered this endpoint for callouts",
			body:   `<a/>`,
			want:   "the body is not JSON: it breaks off or goes wrong at byte 1",
		},
		"TwoObjects": {
			reason: "a batch is documented nowhere; taking the first would lose the second",
			body:   `{"id":"1","eventType":"a"}{}`,
			want:   "the body is not JSON: it breaks off or goes wrong at byte 27",
		},
		"Array":  {reason: "as for two objects", body: `[{"eventType":"a"}]`, want: "the body is JSON, but not an object"},
		"Null":   {reason: "Go decodes it into a map without complaint", body: `null`, want: "the body is JSON, but not an object"},
		"String": {reason: "valid JSON, no object", body: `"a"`, want: "the body is JSON, but not an object"},
		"TooDeep": {
			reason: "the decoder gives up before the stack does",
			body:   `{"eventType":"a","facts":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`,
			want:   "the body is not JSON: it breaks off or goes wrong at byte 10025",
		},
		"NoEventType":     {reason: "it has no type", body: `{"id":"7"}`, id: "7", want: "the body has no eventType that is a non-empty string"},
		"NumberEventType": {reason: "not a string", body: `{"id":"7","eventType":3}`, id: "7", want: "the body has no eventType that is a non-empty string"},
		"BlankEventType":  {reason: "CloudEvents wants more than spaces", body: `{"id":"7","eventType":" \u0000"}`, id: "7", want: "the body has no eventType that is a non-empty string"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tc.id == "" {
				tc.id = hash(tc.body)
			}
			got := event.Parse(origin, []byte(tc.body), arrival)
			want := event.Event{
				Route: origin.Route, Source: "https://us2.api.concursolutions.com/events/v4/subscriptions/acme.expense-reports",
				SubscriptionID: "acme.expense-reports", ID: tc.id, Type: event.QuarantinedType, Time: arrival, Received: arrival,
				DataContentType: "application/json", Quarantine: tc.want, Body: []byte(tc.body),
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			if err := invalid(got); err != nil {
				t.Error(err)
			}
		})
	}
}

// What is no event keeps the media type of the request, if that is one.
func TestParseNamesMediaTypeOfUnreadable(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"text/xml; charset=UTF-8":        "text/xml; charset=UTF-8",
		"Application/JSON":               "application/json",
		"":                               "application/octet-stream",
		"json":                           "application/octet-stream",
		"text/\x00":                      "application/octet-stream",
		"a/b; c":                         "application/octet-stream",
		"a/" + strings.Repeat("b", 5000): "application/octet-stream",
	} {
		from := origin
		from.ContentType = given
		if got := event.Parse(from, nil, arrival).DataContentType; got != want {
			t.Errorf("%q became %q, want %q", given, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(s.body, "application/json")
	}
	for _, tc := range envelopes {
		f.Add([]byte(tc.body), "text/plain; charset=utf-8")
	}
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		from := origin
		from.ContentType = contentType
		got := event.Parse(from, body, arrival)
		if err := invalid(got); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(got, event.Parse(from, body, arrival)); diff != "" {
			t.Errorf("a second reading differs:\n%s", diff)
		}
		if string(got.Body) != string(body) || (got.Quarantine == "") != (got.Type != event.QuarantinedType) {
			t.Errorf("body changed, or quarantine %q does not go with type %q", got.Quarantine, got.Type)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, s := range samples(b) {
		if s.File != "expense-report-status-changed-1.json" && s.File != "travel-book-air-1.json" {
			continue
		}
		b.Run(strings.TrimSuffix(s.File, ".json"), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(s.body)))
			for b.Loop() {
				event.Parse(origin, s.body, arrival)
			}
		})
	}
}
