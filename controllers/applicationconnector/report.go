package applicationconnector

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/bounded"
	"github.com/ess-operator/ess-operator/controllers/internal/condition"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/controllers/internal/record"
	"github.com/ess-operator/ess-operator/controllers/internal/request"
	"github.com/ess-operator/ess-operator/controllers/internal/sink"
)

// testConnectionPath is what SAP Concur's button Test Connection calls (SAP Concur, Callouts and Application Connectors).
const testConnectionPath = "/system/v1.0/testconnection"

const (
	maxText = 1024
	// behind is how old a time in status may get without another change.
	behind = time.Hour
)

// report writes into the status of conn what a pass found.
func (r *Reconciler) report(conn *v1alpha1.ApplicationConnector, out outcome) {
	status := &conn.Status
	status.URL, status.TestConnectionURL = "", ""
	if r.ReceiverURL != "" {
		status.URL, status.TestConnectionURL = r.ReceiverURL+conn.Spec.EffectivePath(), r.ReceiverURL+testConnectionPath
	}
	out.reportSinks(conn)
	out.reportReceiver(status)
	out.reportRecovery(conn)
	if out.unknown {
		return
	}
	status.ObservedGeneration = conn.Generation
	if out.acted(conn) {
		status.LastHandledReconcileAt = request.Of(conn)
	}
	r.conditions(conn, out)
}

// acted reports whether a request for a reconcile, if there is one, was acted upon: by a run, where failed notifications
// are fetched, unless nothing can be fetched.
func (o outcome) acted(conn *v1alpha1.ApplicationConnector) bool {
	switch {
	case !conn.Spec.Recovers():
		return true
	case o.recovery != nil && o.recovery.Requested == request.Of(conn):
		return true
	case o.err == nil || errors.Is(o.err, failure.ErrNotRouted):
		return false
	default:
		return o.recovery == nil || !errors.Is(o.err, o.recovery.Err) // not what an earlier run said
	}
}

// conditions writes the conditions, and when to try again.
func (r *Reconciler) conditions(conn *v1alpha1.ApplicationConnector, out outcome) {
	now := r.Clock.Now()
	set := condition.On(&conn.Status.Conditions, conn.Generation, now)
	set.Clear(v1alpha1.ReconcilingCondition, v1alpha1.StalledCondition)
	retry := conn.Status.Retry
	conn.Status.Retry = nil
	if out.err == nil {
		set.True(v1alpha1.ReadyCondition, v1alpha1.RoutedReason, "the receiver's routes hold the connector with its credentials")
		return
	}
	verdict, message := failure.Of(out.err), failure.Message(out.err)
	switch {
	case errors.Is(out.err, failure.ErrNotRouted):
		set.Unknown(v1alpha1.ReadyCondition, verdict.Reason, message)
		set.True(v1alpha1.ReconcilingCondition, verdict.Reason, message)
		return
	case verdict.Stalled:
		set.True(v1alpha1.StalledCondition, verdict.Reason, message)
	case verdict.Class == failure.BackOff:
		set.True(v1alpha1.ReconcilingCondition, verdict.Reason, "the operator tries again by itself; status.retry says when")
		conn.Status.Retry = retry
		if !out.early {
			conn.Status.Retry = failure.Retry(retry, out.err, now, rand.Float64())
		}
	}
	set.False(v1alpha1.ReadyCondition, verdict.Reason, message)
}

// reportSinks writes where notifications go, for the receiver.
func (o outcome) reportSinks(conn *v1alpha1.ApplicationConnector) {
	status := &conn.Status
	at := sink.OfConnector(status).After(o.err, status.ObservedGeneration != conn.Generation)
	if o.sinks != nil {
		at = *o.sinks
	}
	status.SinkURI, status.SinkCACerts = at.Sink.URI, at.Sink.CACerts
	status.DeadLetterSinkURI, status.DeadLetterSinkCACerts = at.DeadLetterSink.URI, at.DeadLetterSink.CACerts
}

// reportReceiver writes what the receiver counted. What it has not told, or not yet in this process, stays as it is.
func (o outcome) reportReceiver(status *v1alpha1.ApplicationConnectorStatus) {
	if o.told == nil {
		return
	}
	if !equality.Semantic.DeepEqual(o.told.Delivery, v1alpha1.DeliveryStatus{}) {
		status.Delivery = o.told.Delivery.DeepCopy()
	}
	if last := o.told.LastTestConnection; !last.IsZero() {
		status.LastTestConnectionTime = &metav1.Time{Time: last.Truncate(time.Second)}
	}
}

// reportRecovery writes how fetching failed notifications goes.
func (o outcome) reportRecovery(conn *v1alpha1.ApplicationConnector) {
	switch {
	case !conn.Spec.Recovers():
		conn.Status.Recovery = nil
	case o.recovery != nil:
		s := &v1alpha1.RecoveryStatus{Recovered: o.recovery.Recovered, FailedSeen: o.recovery.FailedSeen}
		if at := o.recovery.RanAt; !at.IsZero() {
			s.LastRunTime = &metav1.Time{Time: at.Truncate(time.Second)}
		} else if conn.Status.Recovery != nil {
			s.LastRunTime = conn.Status.Recovery.LastRunTime
		}
		if o.recovery.Err != nil {
			s.LastError = bounded.Text(failure.Message(o.recovery.Err), maxText)
		}
		conn.Status.Recovery = s
	}
}

// changed reports whether two statuses differ in more than times that are not much behind.
func changed(before, after *v1alpha1.ApplicationConnectorStatus) bool {
	same := after.DeepCopy()
	if before.Recovery != nil && same.Recovery != nil && recent(before.Recovery.LastRunTime, same.Recovery.LastRunTime) {
		same.Recovery.LastRunTime = before.Recovery.LastRunTime
	}
	return !equality.Semantic.DeepEqual(before, same)
}

// recent reports whether a time need not be written because of what is written.
func recent(before, after *metav1.Time) bool {
	return before != nil && after != nil && after.Sub(before.Time) < behind
}

// announce records an event when Ready began to say something else.
func (r *Reconciler) announce(ctx context.Context, before, after *v1alpha1.ApplicationConnector) {
	old := meta.FindStatusCondition(before.Status.Conditions, v1alpha1.ReadyCondition)
	now := meta.FindStatusCondition(after.Status.Conditions, v1alpha1.ReadyCondition)
	if now == nil || now.Status == metav1.ConditionUnknown || old != nil && old.Status == now.Status && old.Reason == now.Reason {
		return
	}
	kind := corev1.EventTypeWarning
	if now.Status == metav1.ConditionTrue {
		kind = corev1.EventTypeNormal
	}
	r.Events.Record(ctx, after, record.Event{Type: kind, Reason: now.Reason, Action: "Connect", Note: now.Message})
}
