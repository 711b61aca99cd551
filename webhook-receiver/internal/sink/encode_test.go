package sink

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/http/httpguts"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

func FuzzEncode(f *testing.F) {
	f.Add("1", "public.concur.request", "application/json", []byte("{ \"a\": 1 }\n"), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	f.Add("\"", "\r\nX: y", "text/plain", []byte("\xff"), "")
	f.Add("ü", "\x00", "a\nb", []byte{}, "01-x")
	f.Fuzz(func(t *testing.T, id, topic, mediaType string, body []byte, parent string) {
		e := event.Event{
			ID: id, Source: "/s", Type: "t", Topic: topic, DataContentType: mediaType, Body: body,
			Header: http.Header{"Traceparent": {parent}},
		}
		plain := encode(e, route.Binary)
		for name, values := range plain.header {
			if len(values) != 1 || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(values[0]) {
				t.Errorf("got header %q: %q", name, values)
			}
		}
		if !bytes.Equal(plain.body, body) {
			t.Errorf("binary: got body %q", plain.body)
		}
		readStructured(t, encode(e, route.Structured).body, e)
	})
}

// readStructured checks that a body is a structured event with the data of e.
func readStructured(t *testing.T, body []byte, e event.Event) {
	t.Helper()
	var got struct {
		ID     string          `json:"id"`
		Data   json.RawMessage `json:"data"`
		Base64 []byte          `json:"data_base64"`
	}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("structured: %v in %q", err, body)
	}
	if got.ID != strings.ToValidUTF8(e.ID, "\ufffd") && !strings.Contains(got.ID, "\ufffd") {
		t.Errorf("structured: got id %q, want %q", got.ID, e.ID)
	}
	if got.Data != nil {
		got.Base64 = got.Data
		e.Body = bytes.Trim(e.Body, " \t\r\n") // around the value, white space is not part of it
	}
	if !bytes.Equal(got.Base64, e.Body) {
		t.Errorf("structured: got data %q, want %q", got.Base64, e.Body)
	}
}
