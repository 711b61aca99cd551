package eventsubscription

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/controllers/internal/index"
	"github.com/ess-operator/ess-operator/controllers/internal/uninstall"
	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/session"
)

const (
	// giveUpWithout is how long a deletion waits when there is nothing to
	// delete with: no connection, no credentials, or credentials that Concur refuses.
	giveUpWithout = 10 * time.Minute
	// giveUpTrying is how long a deletion tries when Concur does not do it.
	// Longer than any outage so far, and not for ever.
	giveUpTrying = 24 * time.Hour

	// Waiting for ESS to remove what it marked for deletion: each look is a LIST.
	firstPoll = 500 * time.Millisecond
	maxPoll   = 30 * time.Second

	// maxDeletionPause bounds the wait for an event that may have been missed.
	maxDeletionPause = 5 * time.Minute
)

// unsubscribe brings the subscription at ESS to its end, as deletionPolicy says.
func (r *Reconciler) unsubscribe(ctx context.Context, sub *v1alpha1.EventSubscription) outcome {
	// Settled before any connection is looked at, so that nothing missing can trap the object.
	if sub.Spec.EffectiveDeletionPolicy() == v1alpha1.DeletionRetain || sub.Status.SubscriptionID == "" {
		return outcome{gone: true}
	}
	switch why, err := r.spared(ctx, sub); {
	case err != nil:
		return outcome{err: err}
	case why != "":
		return outcome{gone: true, kept: why}
	}
	s, err := r.sessionOfDeleted(ctx, sub)
	if err != nil {
		return r.delayed(sub, err)
	}
	if now := s.Snapshot().ApplicationID; now != "" && now != sub.Status.ApplicationID {
		return outcome{gone: true, orphan: fmt.Sprintf("subscription %q was made under application %s, but the connection now acts for %s",
			sub.Status.SubscriptionID, sub.Status.ApplicationID, now)}
	}
	return r.delete(ctx, sub, s)
}

// spared says why the subscription must stay at ESS; empty when it has to go.
func (r *Reconciler) spared(ctx context.Context, sub *v1alpha1.EventSubscription) (string, error) {
	switch uninstalling, err := uninstall.UnderWay(ctx, r.cfg.Live, uninstall.EventSubscriptions); {
	case err != nil:
		return "", err
	case uninstalling:
		return "the operator is being uninstalled", nil
	}
	heir, err := r.heir(ctx, sub)
	if err != nil || heir == nil {
		return "", err
	}
	return fmt.Sprintf("EventSubscription %s manages it, too", client.ObjectKeyFromObject(heir)), nil
}

// delete asks ESS to delete the subscription, and looks whether it is gone.
func (r *Reconciler) delete(ctx context.Context, sub *v1alpha1.EventSubscription, s *session.Session) outcome {
	switch listed, err := s.Delete(ctx, sub.Status.SubscriptionID); {
	case err != nil:
		return r.delayed(sub, err)
	case listed && r.waited(sub) >= giveUpTrying:
		return r.abandoned(sub, giveUpTrying, errors.New("ESS accepted the deletion and still lists it"))
	case listed:
		return outcome{poll: r.nextPoll(sub)}
	default:
		return outcome{gone: true, removed: true}
	}
}

// sessionOfDeleted is the session to delete with. It need not be ready: it may
// have outlived its Secret.
func (r *Reconciler) sessionOfDeleted(ctx context.Context, sub *v1alpha1.EventSubscription) (*session.Session, error) {
	key := index.ConnectionOf(sub)
	s, ok := r.cfg.Sessions.Session(key)
	switch {
	case ok && s.Snapshot().Phase == session.Unknown: // for which application it acts is not known yet
		return nil, errNotYet
	case ok:
		return s, nil
	}
	switch _, err := r.connection(ctx, key); {
	case errors.Is(err, failure.ErrConnectionNotFound):
		return nil, failure.New(failure.ErrConnectionNotFound,
			"ConcurConnection %s does not exist, so that subscription %q cannot be deleted at ESS: create it again, or set deletionPolicy to Retain", key, sub.Status.SubscriptionID)
	case err != nil:
		return nil, err
	default:
		return nil, errNotYet
	}
}

// delayed waits for what a deletion needs, and gives up in the end: an object
// that blocks its namespace for ever helps nobody.
func (r *Reconciler) delayed(sub *v1alpha1.EventSubscription, err error) outcome {
	patience := giveUpTrying
	if nothingToDeleteWith(err) {
		patience = giveUpWithout
	}
	waited := r.waited(sub)
	if waited >= patience {
		return r.abandoned(sub, patience, err)
	}
	return outcome{err: err, poll: min(patience-waited, maxDeletionPause)}
}

// nothingToDeleteWith reports whether only a person can make the deletion possible.
func nothingToDeleteWith(err error) bool {
	for _, kind := range []error{
		failure.ErrConnectionNotFound, session.ErrNotConfigured,
		ess.ErrCredentials, ess.ErrUnauthorized, ess.ErrForbidden, ess.ErrHostNotAllowed,
	} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// abandoned lets the object go and leaves the subscription at ESS.
func (r *Reconciler) abandoned(sub *v1alpha1.EventSubscription, patience time.Duration, err error) outcome {
	return outcome{gone: true, orphan: fmt.Sprintf(
		"subscription %q of application %s may still be at ESS, and then has to be deleted by hand: for %s deleting it, or seeing it go, was not possible (%v)",
		sub.Status.SubscriptionID, sub.Status.ApplicationID, patience, err)}
}

// waited is how long the deletion has been tried. Time in which no operator ran does not count.
func (r *Reconciler) waited(sub *v1alpha1.EventSubscription) time.Duration {
	since := sub.DeletionTimestamp.Time
	if r.started.After(since) {
		since = r.started
	}
	return r.cfg.Clock.Since(since)
}

// nextPoll grows with the time that the deletion took so far.
func (r *Reconciler) nextPoll(sub *v1alpha1.EventSubscription) time.Duration {
	waited := r.waited(sub)
	return min(max(waited/4, firstPoll), maxPoll)
}
