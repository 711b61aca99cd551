package event

import (
	"encoding/json"
	"testing"
)

func TestDataIsWhatSinksGet(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		event  Event
		want   string
	}{
		"JSONOfESS": {
			reason: "What ESS sends is handed on byte for byte.",
			event:  Event{Body: []byte(`{"id": "1" }`)},
			want:   `{"id": "1" }`,
		},
		"XMLOfACallout": {
			reason: "Sinks get the JSON; the XML stays in the store.",
			event:  Event{Body: []byte("<Notification/>"), Converted: json.RawMessage(`{"objectURI":"a?b\u0026c"}`)},
			want:   `{"objectURI":"a?b\u0026c"}`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := string(tc.event.Data()); got != tc.want {
				t.Errorf("Data() = %s, want %s: %s", got, tc.want, tc.reason)
			}
			stored := roundTrip(t, tc.event)
			if got := string(stored.Data()); got != tc.want {
				t.Errorf("after a round trip Data() = %s, want %s: %s", got, tc.want, tc.reason)
			}
		})
	}
}

// roundTrip is what a store does with an event: all but the body as JSON, the body beside it.
func roundTrip(t *testing.T, e Event) Event {
	t.Helper()
	stored, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var read Event
	if err := json.Unmarshal(stored, &read); err != nil {
		t.Fatal(err)
	}
	read.Body = e.Body
	return read
}
