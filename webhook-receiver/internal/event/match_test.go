package event_test

import (
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

func TestFilterMatches(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	r := event.Record{State: event.Dead, Event: event.Event{
		Route: event.RouteID{Kind: event.Subscription, Namespace: "finance", Name: "reports"},
		ID:    "e1", Type: "com.concur.expense.report.submitted", EventType: "submitted", Received: at,
	}}
	tests := map[string]struct {
		reason string
		filter event.Filter
		want   bool
	}{
		"Zero":      {"A filter that names nothing selects all.", event.Filter{}, true},
		"Kind":      {"Connectors are another list.", event.Filter{Kind: event.Connector}, false},
		"Namespace": {"Another namespace is another tenant.", event.Filter{Namespace: "hr"}, false},
		"Name":      {"Names are whole, not prefixes.", event.Filter{Name: "report"}, false},
		"ID":        {"An id selects its event.", event.Filter{ID: "e1"}, true},
		"OtherID":   {"An id selects no other event.", event.Filter{ID: "e2"}, false},
		"State":     {"What stands otherwise is not meant.", event.Filter{State: event.Pending}, false},
		"FullType":  {"The CloudEvents type is what sinks see.", event.Filter{Type: r.Event.Type}, true},
		"EventType": {"Concur's type is what its pages list.", event.Filter{Type: "submitted"}, true},
		"OtherType": {"Types are whole.", event.Filter{Type: "com.concur"}, false},
		"Since":     {"Since is included.", event.Filter{Since: at}, true},
		"Later":     {"What came before since is not meant.", event.Filter{Since: at.Add(1)}, false},
		"Until":     {"Until is not included, so that spans join without overlap.", event.Filter{Until: at}, false},
		"Before":    {"What came before until is meant.", event.Filter{Until: at.Add(1)}, true},
		"All": {"Everything asked for must hold.", event.Filter{Kind: event.Subscription, Namespace: "finance",
			Name: "reports", ID: "e1", State: event.Dead, Type: "submitted", Since: at, Until: at.Add(1)}, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tc.filter.Matches(r); got != tc.want {
				t.Errorf("%s\n%+v matches: %t, want %t", tc.reason, tc.filter, got, tc.want)
			}
		})
	}
	bare := event.Record{}
	if (event.Filter{Type: "submitted"}).Matches(bare) {
		t.Error("an event without a type is selected by a type")
	}
}
