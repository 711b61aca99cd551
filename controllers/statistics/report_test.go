package statistics

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func at(t time.Time) *metav1.Time { return &metav1.Time{Time: t} }

func TestReportOf(t *testing.T) {
	t.Parallel()
	const waiting = "events have waited for more than 5 minutes, and none was refused: the receiver has no sink for them, or cannot keep up"
	tests := map[string]struct {
		reason string
		route  route
		want   Report
	}{
		"Nothing": {"a route that had no event", route{}, Report{}},
		"Flowing": {"events on their way are no news", route{Received: 9, Pending: 3, OldestPending: noon.Add(-5 * time.Minute), LastEventTime: noon.Add(-time.Second / 2)},
			Report{Delivery: v1alpha1.DeliveryStatus{Received: 9, LastEventTime: at(noon.Add(-time.Second))}}},
		"Stuck": {"after five minutes somebody should know", route{Received: 9, Pending: 3, OldestPending: noon.Add(-5*time.Minute - 1)},
			Report{Delivery: v1alpha1.DeliveryStatus{Received: 9, Pending: 3, LastError: waiting}}},
		"StuckAndWhy": {"what the sink says is better than what we say", route{Pending: 3, OldestPending: noon.Add(-time.Hour), LastError: "the sink answered 503"},
			Report{Delivery: v1alpha1.DeliveryStatus{Pending: 3, LastError: "the sink answered 503"}}},
		"Dead": {"given up", route{Received: 2, DeadLettered: 2}, Report{Delivery: v1alpha1.DeliveryStatus{Received: 2, DeadLettered: 2}}},
		"Refused": {"a day is longer than a slip", route{Refusals: &refusals{Since: noon.Add(-RefusedFor), Reason: "unproven"}},
			Report{RefusedSince: noon.Add(-RefusedFor), Refusal: "unproven"}},
		"RefusedForAWhile": {"keys and disks are mended within a day", route{Refusals: &refusals{Since: noon.Add(-RefusedFor + 1), Reason: "unproven"}}, Report{}},
		"Huge":             {"the schema knows 64 bits with a sign", route{Received: math.MaxUint64}, Report{Delivery: v1alpha1.DeliveryStatus{Received: math.MaxInt64}}},
		"LongError": {"the schema allows 1024 bytes", route{LastError: strings.Repeat("é", 1024)},
			Report{Delivery: v1alpha1.DeliveryStatus{LastError: strings.Repeat("é", 512)}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, reportOf(tt.route, noon)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

func TestWorth(t *testing.T) {
	t.Parallel()
	delivery := func(change func(*v1alpha1.DeliveryStatus)) Report {
		d := v1alpha1.DeliveryStatus{LastEventTime: at(noon), Received: 10, LastError: "the sink answered 503 after 12ms"}
		change(&d)
		return Report{Delivery: d}
	}
	usual := delivery(func(*v1alpha1.DeliveryStatus) {})
	tests := map[string]struct {
		reason      string
		before, now Report
		want        bool
	}{
		"Same":           {"nothing happened", usual, usual, false},
		"Traffic":        {"events come all the time", usual, delivery(func(d *v1alpha1.DeliveryStatus) { d.Received, d.LastEventTime = 500, at(noon.Add(time.Hour)) }), false},
		"AnHourBehind":   {"LAST EVENT may be an hour late, not more", usual, delivery(func(d *v1alpha1.DeliveryStatus) { d.LastEventTime = at(noon.Add(time.Hour + time.Second)) }), true},
		"FirstEvent":     {"it works, end to end", Report{}, Report{Delivery: v1alpha1.DeliveryStatus{LastEventTime: at(noon)}}, true},
		"NoEventYet":     {"there is nothing to tell", Report{}, Report{}, false},
		"DeadLetter":     {"something was given up", usual, delivery(func(d *v1alpha1.DeliveryStatus) { d.DeadLettered = 1 }), true},
		"Replayed":       {"and taken up again", delivery(func(d *v1alpha1.DeliveryStatus) { d.DeadLettered = 1 }), usual, true},
		"Stuck":          {"something waits", usual, delivery(func(d *v1alpha1.DeliveryStatus) { d.Pending = 1 }), true},
		"MoreStuck":      {"that is known", delivery(func(d *v1alpha1.DeliveryStatus) { d.Pending = 1 }), delivery(func(d *v1alpha1.DeliveryStatus) { d.Pending = 900 }), false},
		"Unstuck":        {"it flows again", delivery(func(d *v1alpha1.DeliveryStatus) { d.Pending = 1 }), usual, true},
		"ErrorGone":      {"it flows again", usual, delivery(func(d *v1alpha1.DeliveryStatus) { d.LastError = "" }), true},
		"ErrorCame":      {"it does not", delivery(func(d *v1alpha1.DeliveryStatus) { d.LastError = "" }), usual, true},
		"OtherError":     {"another status is another trouble", usual, delivery(func(d *v1alpha1.DeliveryStatus) { d.LastError = "the sink answered 404 after 12ms" }), true},
		"SameKind":       {"each attempt takes another time", usual, delivery(func(d *v1alpha1.DeliveryStatus) { d.LastError = "the sink answered 503 after 9ms" }), false},
		"Refused":        {"it is at risk", usual, Report{Delivery: usual.Delivery, RefusedSince: noon, Refusal: "unproven"}, true},
		"RefusedAgain":   {"that is known", Report{RefusedSince: noon, Refusal: "unproven"}, Report{RefusedSince: noon, Refusal: "unproven"}, false},
		"RefusedOther":   {"another thing has to be mended", Report{RefusedSince: noon, Refusal: "unproven"}, Report{RefusedSince: noon, Refusal: "full"}, true},
		"RefusedNoMore":  {"the risk is over", Report{RefusedSince: noon, Refusal: "unproven"}, Report{}, true},
		"StoreMadeAnew":  {"fewer events than before are no news", usual, delivery(func(d *v1alpha1.DeliveryStatus) { d.Received = 1 }), false},
		"LostItsHistory": {"no event is not an event", usual, delivery(func(d *v1alpha1.DeliveryStatus) { d.LastEventTime = nil }), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := worth(tt.before, tt.now); got != tt.want {
				t.Errorf("got %t: %s", got, tt.reason)
			}
		})
	}
}

func TestKind(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ reason, a, b string }{
		"Ports":     {"each connection has another", "dial tcp 10.0.0.7:80: connect: connection refused", "dial tcp 10.0.0.9:80: connect: connection refused"},
		"Durations": {"each attempt takes another time", "no answer within 30s (took 30.002s)", "no answer within 30s (took 30.1s)"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if kind(tt.a) != kind(tt.b) {
				t.Errorf("%q and %q differ: %s", kind(tt.a), kind(tt.b), tt.reason)
			}
		})
	}
	if kind("the sink answered (503).") == kind("the sink answered (502).") {
		t.Error("two status codes are of one kind")
	}
}

func TestKeepTheLastEvent(t *testing.T) {
	t.Parallel()
	before := Report{Delivery: v1alpha1.DeliveryStatus{LastEventTime: at(noon)}}
	for name, now := range map[string]Report{"None": {}, "Earlier": {Delivery: v1alpha1.DeliveryStatus{LastEventTime: at(noon.Add(-time.Hour))}}} {
		if got := keep(before, now).Delivery.LastEventTime; !got.Time.Equal(noon) {
			t.Errorf("%s: a receiver with a new store makes the last event %v", name, got)
		}
	}
}
