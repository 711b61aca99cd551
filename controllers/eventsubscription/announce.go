package eventsubscription

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/telemetry"
)

// done names what was done at ESS, as event reasons and actions.
var done = map[action]struct{ kind, reason, action, note string }{
	adopt:    {corev1.EventTypeNormal, "Adopted", "Adopt", "subscription %q already existed at ESS as specified and is managed from now on"},
	create:   {corev1.EventTypeNormal, "Created", "Create", "created subscription %q at ESS"},
	update:   {corev1.EventTypeNormal, "Updated", "Update", "updated subscription %q at ESS"},
	takeOver: {corev1.EventTypeNormal, "TakenOver", "Adopt", "subscription %q already existed at ESS, was made as specified, and is managed from now on"},
	recreate: {corev1.EventTypeWarning, v1alpha1.LostReason, "Create", "ESS no longer had subscription %q; it was made again, and every company has to disconnect and connect the application again"},
}

// announce records events for what was done, and for a new state of Ready.
func (r *Reconciler) announce(before *v1alpha1.EventSubscriptionStatus, after *v1alpha1.EventSubscription, out outcome) {
	if d, ok := done[out.did]; ok && out.err == nil && !after.Spec.Suspend && after.DeletionTimestamp.IsZero() {
		r.events.Eventf(after, nil, d.kind, d.reason, d.action, d.note, out.want.ID)
	}
	old := meta.FindStatusCondition(before.Conditions, v1alpha1.ReadyCondition)
	now := meta.FindStatusCondition(after.Status.Conditions, v1alpha1.ReadyCondition)
	if now == nil || now.Status != metav1.ConditionFalse || old != nil && old.Reason == now.Reason {
		return
	}
	kind := corev1.EventTypeWarning
	if now.Reason == v1alpha1.DeletingReason || now.Reason == v1alpha1.SuspendedReason {
		kind = corev1.EventTypeNormal
	}
	r.events.Eventf(after, nil, kind, now.Reason, "Subscribe", "%s", now.Message)
}

// announceGone records the end of an object, and what it left behind.
func (r *Reconciler) announceGone(sub *v1alpha1.EventSubscription, out outcome) {
	switch {
	case out.orphan != "":
		telemetry.CountOrphan()
		ctrl.Log.WithName("eventsubscription").Info("leaving a subscription behind at ESS",
			"namespace", sub.Namespace, "name", sub.Name, "orphan", out.orphan)
		r.events.Eventf(sub, nil, corev1.EventTypeWarning, "Orphaned", "Delete", "%s", out.orphan)
	case sub.Status.SubscriptionID == "":
	case sub.Spec.EffectiveDeletionPolicy() == v1alpha1.DeletionRetain:
		r.events.Eventf(sub, nil, corev1.EventTypeNormal, "Retained", "Delete", "subscription %q stays at ESS, as deletionPolicy says", sub.Status.SubscriptionID)
	default:
		r.events.Eventf(sub, nil, corev1.EventTypeNormal, "Deleted", "Delete", "subscription %q is gone from ESS", sub.Status.SubscriptionID)
	}
}

// warnOrphan tells that a subscription of another application stays behind,
// when the object is about to claim one of applicationID.
func (r *Reconciler) warnOrphan(sub *v1alpha1.EventSubscription, applicationID string) {
	if former := sub.Status.ApplicationID; former != "" && former != applicationID {
		telemetry.CountOrphan()
		r.events.Eventf(sub, nil, corev1.EventTypeWarning, "Orphaned", "Claim",
			"subscription %q of application %s stays at ESS: the connection now acts for application %s", sub.Status.SubscriptionID, former, applicationID)
	}
}
