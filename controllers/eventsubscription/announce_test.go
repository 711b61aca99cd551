package eventsubscription

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/ess"
)

func TestWhatIsToldOfALoss(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason     string
		connected  metav1.Condition
		wantReason string
		wantNote   string
	}{
		"CompaniesLost": {
			reason:     "somebody has to connect the companies again, and the condition says so",
			connected:  metav1.Condition{Status: metav1.ConditionFalse, Reason: v1alpha1.LostReason, Message: "connect them again"},
			wantReason: v1alpha1.LostReason, wantNote: "connect them again",
		},
		"CompaniesBack": {
			reason:     "ESS connects the company of a single-company application by itself: what went wrong is the loss, not the connection",
			connected:  metav1.Condition{Status: metav1.ConditionTrue, Reason: v1alpha1.CompaniesConnectedReason, Message: "events are delivered"},
			wantReason: v1alpha1.LostReason, wantNote: `"finance.reports" was not at ESS any more`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.connected.Type = v1alpha1.CompaniesConnectedCondition
			sub := &v1alpha1.EventSubscription{Status: v1alpha1.EventSubscriptionStatus{Conditions: []metav1.Condition{tc.connected}}}
			event, ok := outcome{did: recreate, want: ess.Subscription{ID: "finance.reports"}}.event(sub)
			if !ok || event.Type != corev1.EventTypeWarning || event.Reason != tc.wantReason || !strings.Contains(event.Note, tc.wantNote) {
				t.Errorf("event %+v (%t), want %s saying %q: %s", event, ok, tc.wantReason, tc.wantNote, tc.reason)
			}
		})
	}
}
