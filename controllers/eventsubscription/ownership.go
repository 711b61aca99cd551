package eventsubscription

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/controllers/internal/index"
	"github.com/ess-operator/ess-operator/internal/session"
)

// observe is what the inventory knows of an id.
func observe(sub *v1alpha1.EventSubscription, snapshot session.Snapshot, id string) observation {
	remote, present := snapshot.Inventory.Subscription(id)
	return observation{
		remote: remote, present: present,
		owned: owns(sub, snapshot.ApplicationID, id), known: sub.Status.CompanyCount != nil,
	}
}

// owns reports whether sub made or adopted the id under the application.
func owns(sub *v1alpha1.EventSubscription, applicationID, id string) bool {
	return sub.Status.SubscriptionID == id && sub.Status.ApplicationID == applicationID
}

// claim writes to status, before the first PUT, that the id is this object's:
// if the operator stops between the PUT and the next status write, what it made
// must not look like somebody else's.
func (r *Reconciler) claim(ctx context.Context, sub *v1alpha1.EventSubscription, applicationID, id string) error {
	before := sub.DeepCopy()
	r.warnOrphan(ctx, sub, applicationID)
	sub.Status.SubscriptionID, sub.Status.ApplicationID = id, applicationID
	undescribe(sub)
	progressing(sub, r.clock.Now(), fmt.Sprintf("creating subscription %q at ESS", id))
	if err := r.client.Status().Patch(ctx, sub, client.MergeFrom(before)); err != nil {
		return fmt.Errorf("claiming subscription %s: %w", id, err)
	}
	return nil
}

// undescribe takes from status what ESS showed of a subscription that is not this object's any more.
func undescribe(sub *v1alpha1.EventSubscription) {
	sub.Status.CompanyIDs, sub.Status.CompanyCount, sub.Status.Groups, sub.Status.Scope = nil, nil, nil, ""
	meta.RemoveStatusCondition(&sub.Status.Conditions, v1alpha1.CompaniesConnectedCondition)
	meta.RemoveStatusCondition(&sub.Status.Conditions, v1alpha1.AtRiskCondition)
}

// yield returns an error when an older object wants the same id at the same
// application: the older one has it until it is gone.
func (r *Reconciler) yield(ctx context.Context, sub *v1alpha1.EventSubscription, application index.Application) error {
	rivals, err := index.SubscriptionsOfID(ctx, r.client, sub.EffectiveSubscriptionID())
	if err != nil {
		return err
	}
	for i := range rivals {
		rival := &rivals[i]
		if rival.UID == sub.UID || !older(rival, sub) {
			continue
		}
		same, err := r.sameApplication(ctx, rival, sub, application)
		if err != nil {
			return err
		}
		if same {
			return failure.New(failure.ErrIDConflict,
				"EventSubscription %s is older and has the same subscription id %q at the same application: delete one of the two, or make this one again with another subscriptionID",
				client.ObjectKeyFromObject(rival), sub.EffectiveSubscriptionID())
		}
	}
	return nil
}

// sameApplication reports whether two objects subscribe as one application,
// though it may be through two connections.
func (r *Reconciler) sameApplication(ctx context.Context, rival, sub *v1alpha1.EventSubscription, application index.Application) (bool, error) {
	key := index.ConnectionOf(rival)
	if key == index.ConnectionOf(sub) {
		return true, nil
	}
	var conn v1alpha1.ConcurConnection
	if err := r.client.Get(ctx, key, &conn); err != nil {
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		return false, fmt.Errorf("reading connection %s: %w", key, err)
	}
	return index.ApplicationOf(&conn) == application, nil
}

// older orders objects by their age, and by name within a second.
func older(a, b *v1alpha1.EventSubscription) bool {
	if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.CreationTimestamp.Before(&b.CreationTimestamp)
	}
	return client.ObjectKeyFromObject(a).String() < client.ObjectKeyFromObject(b).String()
}

// rivals are the other objects with the same id, which may take over when sub goes.
func (r *Reconciler) rivals(ctx context.Context, sub *v1alpha1.EventSubscription) []types.NamespacedName {
	all, err := index.SubscriptionsOfID(ctx, r.client, sub.EffectiveSubscriptionID())
	if err != nil {
		return nil // the resync looks again
	}
	var names []types.NamespacedName
	for i := range all {
		if all[i].UID != sub.UID {
			names = append(names, client.ObjectKeyFromObject(&all[i]))
		}
	}
	return names
}
