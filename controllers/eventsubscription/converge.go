package eventsubscription

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/controllers/internal/index"
	"github.com/ess-operator/ess-operator/controllers/internal/request"
	"github.com/ess-operator/ess-operator/controllers/internal/sink"
	"github.com/ess-operator/ess-operator/controllers/internal/wake"
	"github.com/ess-operator/ess-operator/controllers/statistics"
	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/session"
)

// errNotYet says that the connection's first listing in this process is still under way.
var errNotYet = errors.New("waiting for the connection to be listed")

// outcome is what one pass found and did.
type outcome struct {
	// err is why ESS does not hold what is wanted.
	err error
	// want is what ESS should hold; its ID is empty when that is not known.
	want ess.Subscription
	// sinks are where events go; nil when that was not found out.
	sinks *sink.Found
	// told is what the receiver said; nil when that is not known.
	told *statistics.Report
	// seen is what ESS held when last read; nil when that is not known.
	seen *observation
	// did is what was done at ESS or decided about it.
	did action
	// claimed is the status that was written before the PUT; nil when there was none.
	claimed *v1alpha1.EventSubscriptionStatus
	// was tells what an update changed.
	was string
	// held says that nothing was tried, because the time to try again has not come.
	held bool
	// gone says that nothing is left at ESS that this object has to wait for.
	gone bool
	// removed says that ESS was seen to list the subscription no longer.
	removed bool
	// kept says why the subscription stays at ESS though deletionPolicy would delete it; else empty.
	kept string
	// orphan is what was given up at ESS, and why; empty when nothing was.
	orphan string
	// poll is when to look again while ESS removes the subscription.
	poll time.Duration
}

// converge makes ESS hold what sub wants. It is the only step that talks to ESS.
func (r *Reconciler) converge(ctx context.Context, sub *v1alpha1.EventSubscription) outcome {
	ctx, cancel := context.WithTimeout(session.WithUrgency(ctx, urgency(sub)), callTimeout)
	defer cancel()
	if !sub.DeletionTimestamp.IsZero() {
		return r.unsubscribe(ctx, sub)
	}
	if decided(sub) {
		r.corrections.forget(sub.UID) // now, because a pass that fails tells the next one that it was seen
	}
	want, err := r.desired(sub)
	if err != nil {
		return outcome{err: err}
	}
	// Before anything at ESS, so that no event is asked for that has nowhere to go.
	found, err := r.cfg.Sinks.FindAll(ctx, sub.Namespace, sub.Spec.Sink, sub.Spec.Delivery.DeadLetterSink)
	if err != nil {
		return outcome{err: err, want: want, held: r.tooEarly(sub) && !requests(sub)}
	}
	out := r.engage(ctx, sub, want)
	out.want, out.sinks = want, &found
	return out
}

// engage finds the connection, and subscribes through it.
func (r *Reconciler) engage(ctx context.Context, sub *v1alpha1.EventSubscription, want ess.Subscription) outcome {
	s, err := r.connect(ctx, sub)
	if err != nil {
		r.hurry(ctx, sub, err)
		return outcome{err: err}
	}
	if err := r.yield(ctx, sub, applicationOf(s.Snapshot())); err != nil {
		return outcome{err: err}
	}
	out := r.subscribe(ctx, sub, s, want)
	if out.err != nil && failure.Of(out.err).OfConnection {
		s.Suspect()
		r.cfg.Suspicions.Ring(ctx, index.ConnectionOf(sub), wake.Promptly)
	}
	return out
}

// hurry has the connection listed before others when a person waits for sub:
// after a start, all of them wait for their first LIST.
func (r *Reconciler) hurry(ctx context.Context, sub *v1alpha1.EventSubscription, err error) {
	if errors.Is(err, errNotYet) && (requests(sub) || sub.Status.ObservedGeneration != sub.Generation) {
		r.cfg.Suspicions.Ring(ctx, index.ConnectionOf(sub), wake.Promptly)
	}
}

// subscribe compares with the inventory, and with ESS itself before it writes.
func (r *Reconciler) subscribe(ctx context.Context, sub *v1alpha1.EventSubscription, s *session.Session, want ess.Subscription) outcome {
	snapshot := s.Snapshot()
	out := judge(sub, want, observe(sub, snapshot, want.ID))
	if !requests(sub) {
		if out.err != nil || !out.writes(sub) {
			return adopted(sub, snapshot, out)
		}
		if out.held = r.tooEarly(sub); out.held {
			return out
		}
		if out.err = r.permitted(ctx, sub, s, want); out.err != nil {
			return out
		}
	}
	seen, err := look(ctx, s, *out.seen, want.ID)
	if err != nil {
		out.err = err
		return out
	}
	if out = judge(sub, want, seen); out.err != nil || !out.writes(sub) {
		return adopted(sub, snapshot, out)
	}
	return r.write(ctx, sub, s, want, out)
}

// look reads one subscription from ESS. A refused read is taken for an absence
// where LIST does not show the id either: what ESS answers about an id that is
// not ours is not documented, and the PUT will tell whether it is free.
func look(ctx context.Context, s *session.Session, seen observation, id string) (observation, error) {
	remote, err := s.Read(ctx, id)
	absent := errors.Is(err, ess.ErrNotFound) || errors.Is(err, ess.ErrForbidden) && !seen.present
	if err != nil && !absent {
		return seen, err
	}
	seen.remote, seen.present = remote, !absent
	return seen, nil
}

// judge decides about what was seen.
func judge(sub *v1alpha1.EventSubscription, want ess.Subscription, seen observation) outcome {
	did, err := decide(want, seen, sub.Spec.EffectiveAdoptionPolicy())
	return outcome{err: err, seen: &seen, did: did}
}

// writes reports whether a PUT is due.
func (o outcome) writes(sub *v1alpha1.EventSubscription) bool {
	return o.did.writes() && !sub.Spec.Suspend
}

// adopted notes in status that what ESS holds is this object's from now on.
func adopted(sub *v1alpha1.EventSubscription, snapshot session.Snapshot, out outcome) outcome {
	if out.err == nil && out.did == adopt && !sub.Spec.Suspend {
		sub.Status.SubscriptionID, sub.Status.ApplicationID = out.seen.remote.ID, snapshot.ApplicationID
	}
	return out
}

// permitted says, without a call, why a write would be in vain.
func (r *Reconciler) permitted(ctx context.Context, sub *v1alpha1.EventSubscription, s *session.Session, want ess.Subscription) error {
	if !s.AllowsTopic(want.Topic) {
		return failure.New(failure.ErrTopicNotAllowed,
			"the application may not use topic %q; it may use %s; ask SAP Concur support for the scope of the topic, or correct spec.topic",
			want.Topic, topics(s.Snapshot().Topics))
	}
	return r.place(ctx, sub, s)
}

// write makes ESS hold what is wanted, where that is permitted.
func (r *Reconciler) write(ctx context.Context, sub *v1alpha1.EventSubscription, s *session.Session, want ess.Subscription, out outcome) outcome {
	if out.err = r.permitted(ctx, sub, s, want); out.err != nil {
		return out
	}
	var correcting []string
	if correcting, out.err = r.correct(sub, want, out); out.err != nil {
		return out
	}
	former := holdingOf(sub)
	if out = r.announcePut(ctx, sub, s, want, out); out.err != nil {
		return out
	}
	out = put(ctx, s, want, out)
	if out.err == nil || errors.Is(out.err, failure.ErrNotSynced) {
		r.corrections.note(sub.UID, correcting, r.cfg.Clock.Now())
	}
	switch {
	case out.did.claims() && refused(out.err):
		former.restore(sub, s.Snapshot().ApplicationID)
	case out.claimed != nil:
		r.warnOrphan(ctx, sub, former)
	}
	return out
}

// announcePut writes to status, before a PUT, what could not be told after it
// if the operator stopped in between.
func (r *Reconciler) announcePut(ctx context.Context, sub *v1alpha1.EventSubscription, s *session.Session, want ess.Subscription, out outcome) outcome {
	switch {
	case out.did == recreate:
		out.err = r.noteLoss(ctx, sub)
	case out.did.claims() && !out.seen.owned:
		out.err = r.claim(ctx, sub, s.Snapshot().ApplicationID, want.ID)
	default:
		return out
	}
	if out.err == nil {
		out.claimed = sub.Status.DeepCopy()
	}
	return out
}

// refused reports whether ESS certainly did not do what a PUT asked for.
func refused(err error) bool {
	return err != nil && failure.Of(err).Refused && !errors.Is(err, session.ErrReadBack)
}

// put sends one PUT and reads back.
func put(ctx context.Context, s *session.Session, want ess.Subscription, out outcome) outcome {
	remote, err := s.Put(ctx, want)
	switch {
	case errors.Is(err, ess.ErrNotFound): // only the reading back says so
		out.err = failure.New(failure.ErrNotSynced, "ESS accepted the subscription but does not show it yet")
		return out
	case err != nil:
		out.err = err
		return out
	}
	out.was = became(differences(want, out.seen.remote))
	out.seen = &observation{remote: remote, present: true, owned: true, known: true}
	if differ := differences(want, remote); len(differ) > 0 {
		out.err = failure.New(failure.ErrNotSynced, "ESS accepted the subscription but shows something else: %s", told(differ))
	}
	return out
}

// correct returns the fields that an update corrects because somebody changed
// them at ESS, or an error when that happened too often. What a person asked
// for, by a new spec or by a request, is no correction and starts a new count.
func (r *Reconciler) correct(sub *v1alpha1.EventSubscription, want ess.Subscription, out outcome) ([]string, error) {
	if decided(sub) || out.did != update {
		return nil, nil
	}
	differ := differences(want, out.seen.remote)
	fields := make([]string, 0, len(differ))
	for _, d := range differ {
		fields = append(fields, d.Field)
	}
	if often := r.corrections.contested(sub.UID, fields, r.cfg.Clock.Now()); len(often) > 0 {
		return nil, failure.New(failure.ErrContested,
			"somebody else keeps changing %s of subscription %q at ESS: it was corrected %d times within an hour and changed again (%s); find who writes it, then ask for a reconcile or change the spec; otherwise the operator tries again in an hour",
			strings.Join(often, ", "), want.ID, maxCorrections, told(differ))
	}
	return fields, nil
}

// longestPause is more than any failure calls for (failure.Delay). What is
// farther away was written under a clock that was wrong.
const longestPause = 2 * time.Hour

// tooEarly reports whether a failed attempt has to wait, which it must not
// after the spec changed.
func (r *Reconciler) tooEarly(sub *v1alpha1.EventSubscription) bool {
	retry := sub.Status.Retry
	if retry == nil || sub.Status.ObservedGeneration != sub.Generation {
		return false
	}
	left := retry.NextAttemptTime.Sub(r.cfg.Clock.Now())
	return left > 0 && left <= longestPause
}

// decided reports whether a person decided anew, by a new spec or by a request.
func decided(sub *v1alpha1.EventSubscription) bool {
	return sub.Status.ObservedGeneration != sub.Generation || requests(sub)
}

// requests reports whether the annotation asks for a reconcile that was not done yet.
func requests(sub *v1alpha1.EventSubscription) bool {
	value := request.Of(sub)
	return value != "" && value != sub.Status.LastHandledReconcileAt
}

// topics lists topics for a message.
func topics(names []string) string {
	if len(names) == 0 {
		return "none (only the scope events.topic.read was granted)"
	}
	return strings.Join(names, ", ")
}
