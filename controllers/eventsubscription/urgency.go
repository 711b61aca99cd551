package eventsubscription

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/session"
)

// urgency says how its calls should wait for the application's budget. An
// object that was as specified, and that nobody touched since, can only be
// about drift, which the next resync would find as well.
func urgency(sub *v1alpha1.EventSubscription) session.Urgency {
	ready := meta.FindStatusCondition(sub.Status.Conditions, v1alpha1.ReadyCondition)
	switch {
	case !sub.DeletionTimestamp.IsZero():
		return session.Delete
	case requests(sub), ready == nil, ready.Status != metav1.ConditionTrue, ready.ObservedGeneration != sub.Generation:
		return session.Change
	default:
		return session.Resync
	}
}
