package eventsubscription

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// TestNewCountOutlivesAFailure ends a contest by a word of a person in a pass that then fails, so that the next one
// cannot see the word any more.
func TestNewCountOutlivesAFailure(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		say    func(*v1alpha1.EventSubscription)
		ended  bool
	}{
		"Nothing": {"nobody decided anew", func(*v1alpha1.EventSubscription) {}, false},
		"Request": {"somebody asks to try again", func(s *v1alpha1.EventSubscription) {
			metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.ReconcileRequestedAtAnnotation, "now")
		}, true},
		"Spec": {"somebody wants it otherwise", func(s *v1alpha1.EventSubscription) { s.Generation++ }, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := New(Config{Clock: clocktesting.NewFakePassiveClock(noon), Namespaces: []string{"finance"}})
			sub := &v1alpha1.EventSubscription{ObjectMeta: metav1.ObjectMeta{Namespace: "sales", UID: "a"}}
			for range maxCorrections {
				r.corrections.note(sub.UID, []string{"filter"}, noon)
			}
			tc.say(sub)
			if out := r.converge(t.Context(), sub); out.err == nil {
				t.Fatal("a pass without a connection met no failure")
			}
			if often := r.corrections.contested(sub.UID, []string{"filter"}, noon); (len(often) == 0) != tc.ended {
				t.Errorf("contested are %q, ended should be %t: %s", often, tc.ended, tc.reason)
			}
		})
	}
}
