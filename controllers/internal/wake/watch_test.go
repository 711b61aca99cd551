package wake_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/wake"
)

func TestOnIntent(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		change func(*v1alpha1.EventSubscription)
		want   bool
	}{
		"Nothing":       {"a resync of the cache is no news", func(*v1alpha1.EventSubscription) {}, false},
		"Spec":          {"it is what somebody wants", func(s *v1alpha1.EventSubscription) { s.Generation++ }, true},
		"Annotation":    {"it may ask for a reconcile", func(s *v1alpha1.EventSubscription) { s.Annotations = map[string]string{"a": "b"} }, true},
		"Status":        {"the operator writes it itself", func(s *v1alpha1.EventSubscription) { s.Status.SubscriptionID = "x" }, false},
		"Label":         {"nothing depends on it", func(s *v1alpha1.EventSubscription) { s.Labels = map[string]string{"a": "b"} }, false},
		"FinalizerOff":  {"kubectl replace takes it off, and the object could go without being deleted at ESS", func(s *v1alpha1.EventSubscription) { s.Finalizers = nil }, true},
		"FinalizerMore": {"those of others are none of our business", func(s *v1alpha1.EventSubscription) { s.Finalizers = append(s.Finalizers, "example.com/a") }, false},
		"LetGo": {"that is what the operator does at the end", func(s *v1alpha1.EventSubscription) {
			s.Finalizers, s.DeletionTimestamp = []string{"example.com/a"}, new(metav1.Now())
		}, false},
		"Another": {"it is new, though it has the generation of the one that is gone", func(s *v1alpha1.EventSubscription) { s.UID = "b" }, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := &v1alpha1.EventSubscription{ObjectMeta: metav1.ObjectMeta{UID: "a", Generation: 1, Finalizers: []string{v1alpha1.Finalizer}}}
			after := before.DeepCopy()
			tc.change(after)
			if got := wake.OnIntent().Update(event.UpdateEvent{ObjectOld: before, ObjectNew: after}); got != tc.want {
				t.Errorf("passes: %t, want %t: %s", got, tc.want, tc.reason)
			}
		})
	}
}
