package sink_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/controllers/internal/sink"
)

var last = sink.Found{
	Sink:           sink.Address{URI: "http://was", CACerts: "c"},
	DeadLetterSink: sink.Address{URI: "http://dead", CACerts: "d"},
}

func TestWhereSinksAreWhenNoneWasFound(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		err    error
		edited bool
		want   sink.Found
	}{
		"Away":            {"it may come back", failure.New(failure.ErrSinkNotReady, "gone"), false, last},
		"AwayAndEdited":   {"the new spec may mean another", failure.New(failure.ErrSinkNotReady, "gone"), true, sink.Found{}},
		"NotAllowed":      {"nobody may use it", failure.New(failure.ErrSinkNotAllowed, "no"), false, sink.Found{}},
		"Invalid":         {"the receiver would refuse it", failure.New(failure.ErrSinkInvalid, "no"), false, sink.Found{}},
		"BadCertificates": {"likewise", failure.New(failure.ErrCABundleInvalid, "no"), false, sink.Found{}},
		"OtherTrouble":    {"it has nothing to do with the sink", errors.New("no"), true, last},
		"NotLookedFor":    {"nothing is known to be wrong", nil, true, last},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, last.After(tt.err, tt.edited)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

func TestWhereSinksWereIsReadFromStatus(t *testing.T) {
	t.Parallel()
	sub := &v1alpha1.EventSubscriptionStatus{SinkURI: "http://was", SinkCACerts: "c", DeadLetterSinkURI: "http://dead", DeadLetterSinkCACerts: "d"}
	conn := &v1alpha1.ApplicationConnectorStatus{SinkURI: "http://was", SinkCACerts: "c", DeadLetterSinkURI: "http://dead", DeadLetterSinkCACerts: "d"}
	if diff := cmp.Diff(last, sink.OfSubscription(sub)); diff != "" {
		t.Errorf("of an EventSubscription (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(last, sink.OfConnector(conn)); diff != "" {
		t.Errorf("of an ApplicationConnector (-want +got):\n%s", diff)
	}
}
