package eventsubscription

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/age"
	"github.com/ess-operator/ess-operator/controllers/internal/condition"
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

// holding is what status says is an object's at ESS.
type holding struct{ id, application string }

func holdingOf(sub *v1alpha1.EventSubscription) holding {
	return holding{id: sub.Status.SubscriptionID, application: sub.Status.ApplicationID}
}

// restore takes back a claim that application was refused. What the object has
// at another application is still there: the connection may act as the wrong
// one by mistake.
func (h holding) restore(sub *v1alpha1.EventSubscription, application string) {
	if h.application == application {
		h = holding{}
	}
	sub.Status.SubscriptionID, sub.Status.ApplicationID = h.id, h.application
}

// errNotWritten says that what has to be in status before a PUT may not be there.
var errNotWritten = errors.New("status was not written")

func notWritten(doing string, err error) error {
	return fmt.Errorf("%s: %w: %w", doing, errNotWritten, err)
}

// claim writes to status, before the first PUT, that the id is this object's:
// if the operator stops between the PUT and the next status write, what it made
// must not look like somebody else's.
func (r *Reconciler) claim(ctx context.Context, sub *v1alpha1.EventSubscription, applicationID, id string) error {
	before := sub.DeepCopy()
	sub.Status.SubscriptionID, sub.Status.ApplicationID = id, applicationID
	undescribe(sub)
	progressing(sub, r.cfg.Clock.Now(), fmt.Sprintf("creating subscription %q at ESS", id))
	if err := r.cfg.Client.Status().Patch(ctx, sub, client.MergeFrom(before)); err != nil {
		return notWritten("claiming subscription "+id, err)
	}
	return nil
}

// noteLoss writes to status, before ESS is made to hold again what it lost,
// that it was lost and with it every connected company: afterwards nothing at
// ESS tells. The 30 days of ESS begin anew.
func (r *Reconciler) noteLoss(ctx context.Context, sub *v1alpha1.EventSubscription) error {
	before := sub.DeepCopy()
	now := r.cfg.Clock.Now()
	reason, message := loss(sub, now)
	undescribe(sub)
	condition.On(&sub.Status.Conditions, sub.Generation, now).False(v1alpha1.CompaniesConnectedCondition, reason, message)
	progressing(sub, now, fmt.Sprintf("making subscription %q at ESS again", sub.Status.SubscriptionID))
	if err := r.cfg.Client.Status().Patch(ctx, sub, client.MergeFrom(before)); err != nil {
		return notWritten("noting the loss of subscription "+sub.Status.SubscriptionID, err)
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
// application, and may have it: the older one has it until it is gone.
func (r *Reconciler) yield(ctx context.Context, sub *v1alpha1.EventSubscription, application index.Application) error {
	rivals, err := index.SubscriptionsOfID(ctx, r.cfg.Client, sub.EffectiveSubscriptionID())
	if err != nil {
		return err
	}
	for i := range rivals {
		rival := &rivals[i]
		if rival.UID == sub.UID || !age.Older(rival, sub) {
			continue
		}
		entitled, err := r.entitled(ctx, rival, sub, application)
		if err != nil {
			return err
		}
		if entitled {
			return failure.New(failure.ErrIDConflict,
				"EventSubscription %s is older and has the same subscription id %q at the same application: delete one of the two, or make this one again with another subscriptionID",
				client.ObjectKeyFromObject(rival), sub.EffectiveSubscriptionID())
		}
	}
	return nil
}

// entitled reports whether rival may subscribe as the application that sub acts
// as, though it may be through another connection. Whoever is not admitted may
// not, or anybody could keep ids from those who are.
func (r *Reconciler) entitled(ctx context.Context, rival, sub *v1alpha1.EventSubscription, application index.Application) (bool, error) {
	key := index.ConnectionOf(rival)
	conn, err := r.connection(ctx, key)
	switch {
	case errors.Is(err, failure.ErrConnectionNotFound):
		return false, nil
	case err != nil:
		return false, err
	case key != index.ConnectionOf(sub) && r.actsAs(conn) != application:
		return false, nil
	case owns(rival, application.ID, rival.EffectiveSubscriptionID()):
		return true, nil // whatever was agreed since, it has it
	}
	err = r.consent(ctx, rival, conn)
	if errors.Is(err, failure.ErrConnectionNotAllowed) {
		return false, nil
	}
	return err == nil, err
}

// actsAs is the application that a connection acts as: its session knows that
// before its status tells, and status before the session had its first token.
func (r *Reconciler) actsAs(conn *v1alpha1.ConcurConnection) index.Application {
	if s, ok := r.cfg.Sessions.Session(client.ObjectKeyFromObject(conn)); ok {
		if application := applicationOf(s.Snapshot()); application.ID != "" {
			return application
		}
	}
	return index.ApplicationOf(conn)
}

// heir is another object that manages the very subscription of sub and lives
// on, because it adopted it; nil when there is none.
func (r *Reconciler) heir(ctx context.Context, sub *v1alpha1.EventSubscription) (*v1alpha1.EventSubscription, error) {
	rivals, err := index.SubscriptionsOfID(ctx, r.cfg.Client, sub.Status.SubscriptionID)
	if err != nil {
		return nil, err
	}
	for i := range rivals {
		rival := &rivals[i]
		if rival.UID != sub.UID && rival.DeletionTimestamp.IsZero() && owns(rival, sub.Status.ApplicationID, sub.Status.SubscriptionID) {
			return rival, nil
		}
	}
	return nil, nil //nolint:nilnil // none is a result
}

// rivals are the other objects with the same id, which may take over when sub goes.
func (r *Reconciler) rivals(ctx context.Context, sub *v1alpha1.EventSubscription) []types.NamespacedName {
	all, err := index.SubscriptionsOfID(ctx, r.cfg.Client, sub.EffectiveSubscriptionID(), index.AsSeen)
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
