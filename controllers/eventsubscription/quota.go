package eventsubscription

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/age"
	"github.com/ess-operator/ess-operator/controllers/internal/index"
	"github.com/ess-operator/ess-operator/internal/session"
)

// place returns session.ErrQuota when there is no place at ESS for sub, because
// all are taken or because older objects come first. It makes no call.
func (r *Reconciler) place(ctx context.Context, sub *v1alpha1.EventSubscription, s *session.Session) error {
	ahead, err := r.ahead(ctx, sub, s.Snapshot())
	if err != nil {
		return err
	}
	return s.Place(sub.EffectiveSubscriptionID(), ahead)
}

// ahead are the ids of older objects of the same application that want a place
// at ESS and have none. Those that cannot get one for a reason of their own are none.
func (r *Reconciler) ahead(ctx context.Context, sub *v1alpha1.EventSubscription, snapshot session.Snapshot) ([]string, error) {
	others, err := index.SubscriptionsOfApplication(ctx, r.cfg.Client, applicationOf(snapshot))
	if err != nil {
		return nil, fmt.Errorf("looking who comes first: %w", err)
	}
	var ids []string
	for i := range others {
		if other := &others[i]; other.UID != sub.UID && age.Older(other, sub) && wantsPlace(other, snapshot) && r.atWork(other) {
			ids = append(ids, other.EffectiveSubscriptionID())
		}
	}
	return ids, nil
}

// atWork reports whether the connection of an object works, or is about to:
// without one, the object would keep a place free until somebody mends it.
func (r *Reconciler) atWork(sub *v1alpha1.EventSubscription) bool {
	s, ok := r.cfg.Sessions.Session(index.ConnectionOf(sub))
	if !ok {
		return true
	}
	phase := s.Snapshot().Phase
	return phase == session.Ready || phase == session.Unknown
}

// applicationOf is the application that a session acts as.
func applicationOf(snapshot session.Snapshot) index.Application {
	return index.Application{ID: snapshot.ApplicationID, Geolocation: snapshot.Token.Geolocation}
}

// wantsPlace reports whether an object would be created at ESS if it could.
func wantsPlace(sub *v1alpha1.EventSubscription, snapshot session.Snapshot) bool {
	if _, present := snapshot.Inventory.Subscription(sub.EffectiveSubscriptionID()); present {
		return false
	}
	stalled := meta.FindStatusCondition(sub.Status.Conditions, v1alpha1.StalledCondition)
	return sub.DeletionTimestamp.IsZero() && !sub.Spec.Suspend &&
		(stalled == nil || stalled.ObservedGeneration != sub.Generation)
}
