package eventsubscription

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/condition"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/controllers/internal/sink"
	"github.com/ess-operator/ess-operator/controllers/statistics"
)

func TestReportSinks(t *testing.T) {
	t.Parallel()
	was := v1alpha1.EventSubscriptionStatus{SinkURI: "http://was", SinkCACerts: "c", DeadLetterSinkURI: "http://dead", DeadLetterSinkCACerts: "d"}
	none := v1alpha1.EventSubscriptionStatus{}
	found := &sink.Found{Sink: sink.Address{URI: "http://is"}, DeadLetterSink: sink.Address{URI: "http://d", CACerts: "e"}}
	notReady := failure.New(failure.ErrSinkNotReady, "gone")
	tests := map[string]struct {
		reason     string
		out        outcome
		generation int64 // the status is about 1
		want       v1alpha1.EventSubscriptionStatus
	}{
		"Found":             {"that is where events go", outcome{sinks: found}, 1, v1alpha1.EventSubscriptionStatus{SinkURI: "http://is", DeadLetterSinkURI: "http://d", DeadLetterSinkCACerts: "e"}},
		"FoundThenRefused":  {"ESS has no say in it", outcome{sinks: found, err: errors.New("no")}, 2, v1alpha1.EventSubscriptionStatus{SinkURI: "http://is", DeadLetterSinkURI: "http://d", DeadLetterSinkCACerts: "e"}},
		"Taken":             {"the spec has none any more", outcome{sinks: &sink.Found{}}, 2, none},
		"Gone":              {"it may come back", outcome{err: notReady}, 1, was},
		"GoneAndEdited":     {"the new spec may mean another", outcome{err: notReady}, 2, none},
		"NotAllowed":        {"nobody may use it", outcome{err: failure.New(failure.ErrSinkNotAllowed, "no")}, 1, none},
		"Invalid":           {"the receiver would refuse it", outcome{err: failure.New(failure.ErrSinkInvalid, "no")}, 1, none},
		"BadCertificates":   {"likewise", outcome{err: failure.New(failure.ErrCABundleInvalid, "no")}, 1, none},
		"NotLookedFor":      {"the receiver delivers on", outcome{err: failure.New(failure.ErrReceiverNotConfigured, "no")}, 2, was},
		"DeletedMeanwhile":  {"until the end", outcome{}, 2, was},
		"StillBeingDeleted": {"until the end", outcome{poll: time.Second}, 1, was},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sub := &v1alpha1.EventSubscription{ObjectMeta: metav1.ObjectMeta{Generation: tt.generation}, Status: was}
			sub.Status.ObservedGeneration = 1
			tt.out.reportSinks(sub)
			sub.Status.ObservedGeneration = 0
			if diff := cmp.Diff(tt.want, sub.Status); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

func TestReportRefusals(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	refused := &statistics.Report{RefusedSince: now.AddDate(0, 0, -2), Refusal: "unproven"}
	receiver := v1alpha1.Endpoint{Receiver: &v1alpha1.ReceiverEndpoint{}}
	tests := map[string]struct {
		reason   string
		endpoint v1alpha1.Endpoint
		before   string // the reason of AtRisk
		told     *statistics.Report
		want     string
	}{
		"Refused":       {"events come and none is taken", receiver, "", refused, v1alpha1.DeliveriesRefusedReason},
		"Quiet":         {"no events are no evidence", receiver, "", &statistics.Report{}, ""},
		"TakenAgain":    {"the risk is over", receiver, v1alpha1.DeliveriesRefusedReason, &statistics.Report{}, ""},
		"NobodyKnows":   {"the receiver does not answer", receiver, v1alpha1.DeliveriesRefusedReason, nil, v1alpha1.DeliveriesRefusedReason},
		"Connected":     {"companies are there now", receiver, v1alpha1.UnusedReason, nil, ""},
		"OtherEndpoint": {"it is not the receiver's any more", v1alpha1.Endpoint{URL: "https://e"}, v1alpha1.DeliveriesRefusedReason, nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sub := &v1alpha1.EventSubscription{Spec: v1alpha1.EventSubscriptionSpec{Endpoint: tt.endpoint}}
			set := condition.On(&sub.Status.Conditions, 1, now)
			if tt.before != "" {
				set.True(v1alpha1.AtRiskCondition, tt.before, "before")
			}
			outcome{told: tt.told}.reportRefusals(sub, set)
			got := ""
			if c := meta.FindStatusCondition(sub.Status.Conditions, v1alpha1.AtRiskCondition); c != nil {
				got = c.Reason
			}
			if got != tt.want {
				t.Errorf("AtRisk is %q, want %q: %s", got, tt.want, tt.reason)
			}
		})
	}
}

func TestLossAfterRefusals(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for days, want := range map[int]string{27: v1alpha1.LostReason, 28: v1alpha1.ExpiredReason} { // and one or two before it was told
		sub := &v1alpha1.EventSubscription{}
		set := condition.On(&sub.Status.Conditions, 1, now.AddDate(0, 0, -days))
		set.True(v1alpha1.AtRiskCondition, v1alpha1.DeliveriesRefusedReason, "m")
		set.True(v1alpha1.CompaniesConnectedCondition, v1alpha1.CompaniesConnectedReason, "m")
		if reason, _ := loss(sub, now); reason != want {
			t.Errorf("%d days after AtRisk the loss is %s, want %s", days, reason, want)
		}
	}
}

func TestDeadLetterEvent(t *testing.T) {
	t.Parallel()
	dead := func(n int64) *v1alpha1.DeliveryStatus {
		return &v1alpha1.DeliveryStatus{DeadLettered: n, LastError: "the sink answered 400"}
	}
	tests := map[string]struct {
		reason        string
		before, after *v1alpha1.DeliveryStatus
		want          bool
	}{
		"None":     {"there is nothing to tell", nil, nil, false},
		"NoneDead": {"events arrived", nil, dead(0), false},
		"First":    {"something was given up", nil, dead(1), true},
		"More":     {"and more", dead(1), dead(2), true},
		"Same":     {"it was told", dead(2), dead(2), false},
		"Fewer":    {"some were replayed", dead(2), dead(1), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event, got := deadLetterEvent(tt.before, tt.after)
			if got != tt.want || got && !strings.Contains(event.Note, "(the sink answered 400)") {
				t.Errorf("got %t, %q: %s", got, event.Note, tt.reason)
			}
		})
	}
}
