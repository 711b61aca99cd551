package connection

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/bounded"
	"github.com/ess-operator/ess-operator/controllers/internal/condition"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/controllers/internal/index"
	"github.com/ess-operator/ess-operator/controllers/internal/record"
	"github.com/ess-operator/ess-operator/controllers/internal/request"
	"github.com/ess-operator/ess-operator/internal/session"
)

// Sizes that the schema of ConcurConnectionStatus allows.
const (
	maxNames     = 512
	maxName      = 256
	maxURL       = 512
	maxUnmanaged = 1000
	maxID        = 512
)

// report writes what was found, in one status patch, when it differs from what is written.
func (r *Reconciler) report(ctx context.Context, conn *v1alpha1.ConcurConnection, out outcome, needed []types.NamespacedName) error {
	before := conn.DeepCopy()
	conn.Status.ObservedGeneration = conn.Generation
	if out.acted {
		conn.Status.LastHandledReconcileAt = request.Of(conn)
	}
	if err := r.describe(ctx, conn, out.session.Snapshot()); err != nil {
		return err
	}
	set := condition.On(&conn.Status.Conditions, conn.Generation, r.cfg.Clock.Now())
	switch {
	case !conn.DeletionTimestamp.IsZero():
		set.Clear(v1alpha1.ReconcilingCondition, v1alpha1.StalledCondition)
		set.False(v1alpha1.ReadyCondition, v1alpha1.InUseReason, inUse(needed))
	case conn.Spec.Suspend:
		set.Clear(v1alpha1.ReconcilingCondition, v1alpha1.StalledCondition)
		set.False(v1alpha1.ReadyCondition, v1alpha1.SuspendedReason, "spec.suspend is true: no calls are made to SAP Concur")
	case out.err != nil:
		failed(set, conn, out.err)
	default:
		set.Clear(v1alpha1.ReconcilingCondition, v1alpha1.StalledCondition)
		set.True(v1alpha1.ReadyCondition, v1alpha1.ConnectedReason, "a token was obtained and ESS was listed")
	}
	if !changed(&before.Status, &conn.Status) {
		conn.Status = before.Status
		return nil
	}
	if err := r.cfg.Client.Status().Patch(ctx, conn, client.MergeFrom(before)); err != nil {
		return fmt.Errorf("writing status: %w", err)
	}
	r.announce(ctx, before, conn)
	return nil
}

// failed writes the conditions of a connection that does not work.
func failed(set condition.Set, conn *v1alpha1.ConcurConnection, err error) {
	verdict := failure.Of(err)
	message := condition.KeepTail(conn.Status.Conditions, v1alpha1.ReadyCondition, failure.Message(err), failure.Correlation(err))
	set.False(v1alpha1.ReadyCondition, verdict.Reason, message)
	set.Clear(v1alpha1.ReconcilingCondition, v1alpha1.StalledCondition)
	switch {
	case verdict.Stalled:
		set.True(v1alpha1.StalledCondition, verdict.Reason, message)
	case verdict.Class == failure.BackOff:
		set.True(v1alpha1.ReconcilingCondition, verdict.Reason, "the operator tries again by itself")
	}
}

// describe writes what the token and the inventory tell. When the connection
// does not work, the last known facts stay.
func (r *Reconciler) describe(ctx context.Context, conn *v1alpha1.ConcurConnection, snapshot session.Snapshot) error {
	if snapshot.Phase != session.Ready {
		return nil
	}
	conn.Status.ApplicationID = bounded.Text(snapshot.ApplicationID, maxName)
	conn.Status.Geolocation = bounded.Text(snapshot.Token.Geolocation, maxURL)
	conn.Status.Scopes = bounded.Set(snapshot.Token.Scopes, maxNames, maxName)
	conn.Status.TokenExpiresAt = timeOf(snapshot.Token.ExpiresAt)
	conn.Status.Topics = bounded.Set(snapshot.Topics, maxNames, maxName)
	conn.Status.TopicCount = new(int32(len(snapshot.Topics)))
	conn.Status.LastSyncTime = timeOf(snapshot.Inventory.ListedAt)
	return r.count(ctx, conn, snapshot)
}

// count writes how many of the subscriptions at ESS an EventSubscription stands for.
func (r *Reconciler) count(ctx context.Context, conn *v1alpha1.ConcurConnection, snapshot session.Snapshot) error {
	subs, err := r.subscriptions(ctx, conn)
	if err != nil {
		return err
	}
	managed := make(map[string]bool, len(subs))
	for i := range subs {
		managed[subs[i].Status.SubscriptionID] = true
	}
	ids, limit := snapshot.Inventory.IDs(), int32(snapshot.Limit)
	usage := &v1alpha1.SubscriptionUsage{Used: int32(len(ids)), Limit: limit, Usage: fmt.Sprintf("%d/%d", len(ids), limit)}
	for _, id := range ids {
		if managed[id] {
			usage.Managed++
		} else {
			usage.Unmanaged = append(usage.Unmanaged, id)
		}
	}
	usage.Unmanaged = bounded.Set(usage.Unmanaged, maxUnmanaged, maxID)
	conn.Status.Subscriptions = usage
	return nil
}

// subscriptions are the objects that may stand for subscriptions of conn's
// application. Its own are looked up apart, since the index knows only what is
// written already.
func (r *Reconciler) subscriptions(ctx context.Context, conn *v1alpha1.ConcurConnection) ([]v1alpha1.EventSubscription, error) {
	own, err := index.SubscriptionsOfConnection(ctx, r.cfg.Client, client.ObjectKeyFromObject(conn), index.AsSeen)
	if err != nil {
		return nil, err
	}
	all, err := index.SubscriptionsOfApplication(ctx, r.cfg.Client, index.ApplicationOf(conn), index.AsSeen)
	return append(all, own...), err
}

// announce records an event when Ready began to say something else.
func (r *Reconciler) announce(ctx context.Context, before, after *v1alpha1.ConcurConnection) {
	old := meta.FindStatusCondition(before.Status.Conditions, v1alpha1.ReadyCondition)
	now := meta.FindStatusCondition(after.Status.Conditions, v1alpha1.ReadyCondition)
	if now == nil || old != nil && old.Status == now.Status && old.Reason == now.Reason {
		return
	}
	kind := corev1.EventTypeWarning
	if now.Status == metav1.ConditionTrue || now.Reason == v1alpha1.SuspendedReason {
		kind = corev1.EventTypeNormal
	}
	r.cfg.Events.Record(ctx, after, record.Event{Type: kind, Reason: now.Reason, Action: "Connect", Note: now.Message})
}

// inUse says who holds a connection that is being deleted.
func inUse(needed []types.NamespacedName) string {
	const shown = 5
	names := make([]string, 0, shown)
	for _, n := range needed[:min(len(needed), shown)] {
		names = append(names, n.String())
	}
	more := ""
	if len(needed) > shown {
		more = fmt.Sprintf(" and %d more", len(needed)-shown)
	}
	return fmt.Sprintf("being deleted, but EventSubscriptions still need it: delete %s%s, or set their deletionPolicy to Retain",
		strings.Join(names, ", "), more)
}
