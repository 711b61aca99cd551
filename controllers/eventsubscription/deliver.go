package eventsubscription

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/condition"
	"github.com/ess-operator/ess-operator/controllers/internal/record"
	"github.com/ess-operator/ess-operator/controllers/internal/sink"
)

// reportSinks writes where events go, for the receiver.
func (o outcome) reportSinks(sub *v1alpha1.EventSubscription) {
	status := &sub.Status
	at := sink.OfSubscription(status).After(o.err, status.ObservedGeneration != sub.Generation)
	if o.sinks != nil {
		at = *o.sinks
	}
	status.SinkURI, status.SinkCACerts = at.Sink.URI, at.Sink.CACerts
	status.DeadLetterSinkURI, status.DeadLetterSinkCACerts = at.DeadLetterSink.URI, at.DeadLetterSink.CACerts
}

// reportDelivery writes what the receiver counted. What it has not told, or not
// yet in this process, stays as it is.
func (o outcome) reportDelivery(sub *v1alpha1.EventSubscription) {
	switch {
	case sub.Spec.Endpoint.Receiver == nil:
		sub.Status.Delivery = nil
	case o.told != nil && !equality.Semantic.DeepEqual(o.told.Delivery, v1alpha1.DeliveryStatus{}):
		sub.Status.Delivery = o.told.Delivery.DeepCopy()
	}
}

// reportRefusals writes whether a subscription with companies is at risk: ESS
// removes one that had no successful delivery for 30 days because of its
// endpoint (SAP Concur, Event Subscription Service v4, "Subscription Limits").
// That no events come is no evidence, since topics may be quiet; that events
// come and none is taken is.
func (o outcome) reportRefusals(sub *v1alpha1.EventSubscription, set condition.Set) {
	old := meta.FindStatusCondition(sub.Status.Conditions, v1alpha1.AtRiskCondition)
	about := old != nil && old.Reason == v1alpha1.DeliveriesRefusedReason && sub.Spec.Endpoint.Receiver != nil
	switch {
	case o.told == nil && about: // nobody said otherwise
	case o.told == nil || o.told.RefusedSince.IsZero() || sub.Spec.Endpoint.Receiver == nil:
		set.Clear(v1alpha1.AtRiskCondition)
	default:
		since := o.told.RefusedSince.UTC()
		set.True(v1alpha1.AtRiskCondition, v1alpha1.DeliveriesRefusedReason, fmt.Sprintf(
			"since %s the receiver has taken no delivery of this subscription (%s); ESS removes subscriptions without a successful delivery after 30 days, so that this one may go on %s: mend what the receiver refuses",
			since.Format("2006-01-02 15:04 MST"), o.told.Refusal, since.Add(unusedLifetime).Format(time.DateOnly)))
	}
}

// deadLetterEvent tells that events were given up.
func deadLetterEvent(before, after *v1alpha1.DeliveryStatus) (record.Event, bool) {
	if after == nil || before != nil && after.DeadLettered <= before.DeadLettered || after.DeadLettered == 0 {
		return record.Event{}, false
	}
	why := ""
	if after.LastError != "" {
		why = " (" + after.LastError + ")"
	}
	return record.Event{Type: corev1.EventTypeWarning, Reason: "DeadLettered", Action: "Deliver", Note: fmt.Sprintf(
		"the sink did not take %d events, and they are not tried again%s: the receiver keeps them; mend the sink, then have them replayed", after.DeadLettered, why)}, true
}
