package eventsubscription

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/controllers/internal/index"
	"github.com/ess-operator/ess-operator/internal/session"
)

const (
	// giveUpAfter is how long a deletion waits for something to delete with.
	giveUpAfter = 10 * time.Minute

	// Waiting for ESS to remove what it marked for deletion: each look is a LIST.
	firstPoll = 500 * time.Millisecond
	maxPoll   = 30 * time.Second
)

// unsubscribe brings the subscription at ESS to its end, as deletionPolicy says.
func (r *Reconciler) unsubscribe(ctx context.Context, sub *v1alpha1.EventSubscription) outcome {
	// Settled before any connection is looked at, so that nothing missing can trap the object.
	if sub.Spec.EffectiveDeletionPolicy() == v1alpha1.DeletionRetain || sub.Status.SubscriptionID == "" {
		return outcome{gone: true}
	}
	s, err := r.sessionOfDeleted(ctx, sub)
	if err != nil {
		return r.withoutSession(sub, err)
	}
	if snapshot := s.Snapshot(); snapshot.ApplicationID != "" && snapshot.ApplicationID != sub.Status.ApplicationID {
		return outcome{gone: true, orphan: fmt.Sprintf(
			"subscription %q was made under application %s, but the connection now acts for %s", sub.Status.SubscriptionID, sub.Status.ApplicationID, snapshot.ApplicationID)}
	}
	switch listed, err := s.Delete(ctx, sub.Status.SubscriptionID); {
	case errors.Is(err, session.ErrNotConfigured):
		return r.withoutSession(sub, err)
	case err != nil:
		return outcome{err: err}
	case listed:
		return outcome{poll: r.nextPoll(sub)}
	default:
		return outcome{gone: true}
	}
}

// sessionOfDeleted is the session to delete with. It need not be ready: it may
// have outlived its Secret.
func (r *Reconciler) sessionOfDeleted(ctx context.Context, sub *v1alpha1.EventSubscription) (*session.Session, error) {
	key := index.ConnectionOf(sub)
	if s, ok := r.sessions.Session(key); ok {
		return s, nil
	}
	var conn v1alpha1.ConcurConnection
	switch err := r.client.Get(ctx, key, &conn); {
	case apierrors.IsNotFound(err):
		return nil, failure.New(failure.ErrConnectionNotFound,
			"ConcurConnection %s does not exist, so that subscription %q cannot be deleted at ESS: create it again, or set deletionPolicy to Retain", key, sub.Status.SubscriptionID)
	case err != nil:
		return nil, fmt.Errorf("reading connection %s: %w", key, err)
	default:
		return nil, errNotYet
	}
}

// withoutSession waits for something to delete with, and gives up in the end:
// an object that blocks its namespace for ever helps nobody.
func (r *Reconciler) withoutSession(sub *v1alpha1.EventSubscription, err error) outcome {
	waited := r.clock.Since(sub.DeletionTimestamp.Time)
	if waited < giveUpAfter {
		return outcome{err: err, poll: giveUpAfter - waited}
	}
	return outcome{gone: true, orphan: fmt.Sprintf(
		"subscription %q of application %s is still at ESS: for %s there was nothing to delete it with (%v)",
		sub.Status.SubscriptionID, sub.Status.ApplicationID, giveUpAfter, err)}
}

// nextPoll grows with the time that the deletion took so far.
func (r *Reconciler) nextPoll(sub *v1alpha1.EventSubscription) time.Duration {
	waited := r.clock.Since(sub.DeletionTimestamp.Time)
	return min(max(waited/4, firstPoll), maxPoll)
}
