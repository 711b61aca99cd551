package eventsubscription

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/record"
	"github.com/ess-operator/ess-operator/controllers/internal/telemetry"
)

// announce records events for what was done, and for a new state of Ready.
func (r *Reconciler) announce(ctx context.Context, before *v1alpha1.EventSubscriptionStatus, after *v1alpha1.EventSubscription, out outcome) {
	if out.err == nil && !after.Spec.Suspend && after.DeletionTimestamp.IsZero() {
		if event, ok := out.event(after); ok {
			r.cfg.Events.Record(ctx, after, event)
		}
	}
	if event, ok := deadLetterEvent(before.Delivery, after.Status.Delivery); ok {
		r.cfg.Events.Record(ctx, after, event)
	}
	if event, ok := verdictEvent(before.Conditions, after.Status.Conditions); ok {
		r.cfg.Events.Record(ctx, after, event)
	}
}

// event tells what was done at ESS, if anything was.
func (o outcome) event(sub *v1alpha1.EventSubscription) (record.Event, bool) {
	normal := func(reason, action, note string, args ...any) (record.Event, bool) {
		return record.Event{Type: corev1.EventTypeNormal, Reason: reason, Action: action, Note: fmt.Sprintf(note, args...)}, true
	}
	switch o.did {
	case adopt:
		return normal("Adopted", "Adopt", "subscription %q already existed at ESS as specified and is managed from now on", o.want.ID)
	case create:
		return normal("Created", "Create", "created subscription %q at ESS", o.want.ID)
	case update:
		return normal("Updated", "Update", "updated subscription %q at ESS: %s", o.want.ID, o.was)
	case takeOver:
		return normal("TakenOver", "Adopt", "subscription %q already existed at ESS, is managed from now on, and was changed: %s", o.want.ID, o.was)
	case recreate:
		return lossEvent(sub, o.want.ID), true
	default:
		return record.Event{}, false
	}
}

// lossEvent tells that ESS had lost a subscription, and what is left to do: nothing, if its companies are there again.
func lossEvent(sub *v1alpha1.EventSubscription, id string) record.Event {
	event := record.Event{Type: corev1.EventTypeWarning, Action: "Create"}
	connected := meta.FindStatusCondition(sub.Status.Conditions, v1alpha1.CompaniesConnectedCondition)
	event.Reason, event.Note = connected.Reason, connected.Message
	if connected.Status == metav1.ConditionTrue {
		event.Reason = v1alpha1.LostReason
		event.Note = fmt.Sprintf("subscription %q was not at ESS any more; it is made again, and companies are connected to it", id)
	}
	return event
}

// verdictEvent tells why an object is not ready, when that is new.
func verdictEvent(before, after []metav1.Condition) (record.Event, bool) {
	old := meta.FindStatusCondition(before, v1alpha1.ReadyCondition)
	now := meta.FindStatusCondition(after, v1alpha1.ReadyCondition)
	if now == nil || now.Status != metav1.ConditionFalse || old != nil && old.Reason == now.Reason {
		return record.Event{}, false
	}
	kind := corev1.EventTypeWarning
	if now.Reason == v1alpha1.DeletingReason || now.Reason == v1alpha1.SuspendedReason {
		kind = corev1.EventTypeNormal
	}
	return record.Event{Type: kind, Reason: now.Reason, Action: "Subscribe", Note: now.Message}, true
}

// announceGone records the end of an object, and what it left behind.
func (r *Reconciler) announceGone(ctx context.Context, sub *v1alpha1.EventSubscription, out outcome) {
	event := record.Event{Type: corev1.EventTypeNormal, Reason: "Deleted", Action: "Delete",
		Note: fmt.Sprintf("subscription %q is gone from ESS", sub.Status.SubscriptionID)}
	switch {
	case out.orphan != "":
		telemetry.CountOrphan()
		event.Type, event.Reason, event.Note = corev1.EventTypeWarning, "Orphaned", out.orphan
	case sub.Status.SubscriptionID == "":
		return
	case out.kept != "":
		event.Reason, event.Note = "Retained", fmt.Sprintf("subscription %q stays at ESS, because %s", sub.Status.SubscriptionID, out.kept)
	case sub.Spec.EffectiveDeletionPolicy() == v1alpha1.DeletionRetain:
		event.Reason, event.Note = "Retained", fmt.Sprintf("subscription %q stays at ESS, as deletionPolicy says", sub.Status.SubscriptionID)
	}
	r.cfg.Events.Record(ctx, sub, event)
}

// warnOrphan tells that what the object had at another application stays behind.
func (r *Reconciler) warnOrphan(ctx context.Context, sub *v1alpha1.EventSubscription, former holding) {
	if former.id == "" || former.application == sub.Status.ApplicationID {
		return
	}
	telemetry.CountOrphan()
	r.cfg.Events.Record(ctx, sub, record.Event{Type: corev1.EventTypeWarning, Reason: "Orphaned", Action: "Claim",
		Note: fmt.Sprintf("subscription %q of application %s stays at ESS: the connection now acts for application %s",
			former.id, former.application, sub.Status.ApplicationID)})
}
