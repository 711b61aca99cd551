package eventsubscription

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/controllers/internal/finalizer"
	"github.com/ess-operator/ess-operator/controllers/internal/index"
	"github.com/ess-operator/ess-operator/controllers/internal/record"
	"github.com/ess-operator/ess-operator/controllers/internal/sink"
	"github.com/ess-operator/ess-operator/controllers/internal/wake"
	"github.com/ess-operator/ess-operator/controllers/statistics"
	"github.com/ess-operator/ess-operator/internal/session"
)

// callTimeout bounds what one reconcile asks of Concur, so that the status
// write keeps time of its own.
const callTimeout = 45 * time.Second

// Statistics know what the receiver said about an object; ok is false when that is nothing yet.
type Statistics interface {
	Of(object types.NamespacedName) (report statistics.Report, ok bool)
}

// Config is what a Reconciler needs. All fields but ReceiverURL, Statistics and Reports are required.
type Config struct {
	// Client reads from the cache and sees its own writes.
	Client client.Client
	// Live reads from the API server.
	Live client.Reader
	// Sessions are shared with the controller of ConcurConnections.
	Sessions *session.Registry
	// Dependents wakes this controller when a connection was listed or changed.
	Dependents *wake.Bell
	// Suspicions wakes the controller of ConcurConnections.
	Suspicions *wake.Bell
	// Events records what changed, for people.
	Events *record.Recorder
	// Sinks finds where events go.
	Sinks sink.Resolver
	// Statistics are what the receiver said, and Reports wakes this controller for an object of which it
	// said something new; nil when no receiver is asked.
	Statistics Statistics
	Reports    *wake.Bell
	// ReceiverURL is the public base URL of the companion receiver, without a
	// slash at its end; empty when there is none.
	ReceiverURL string
	// Namespaces are those that are watched; none means all. If there are any,
	// namespaces themselves may not be read, so that a connection cannot admit them by label.
	Namespaces []string
	// Clock tells the time.
	Clock clock.PassiveClock
}

// Reconciler reconciles EventSubscriptions.
type Reconciler struct {
	cfg         Config
	begin       sync.Once
	started     time.Time // of the first pass: a standby makes none
	corrections corrections
	departed    departed
}

// New returns a Reconciler.
func New(cfg Config) *Reconciler { return &Reconciler{cfg: cfg} }

// Reconcile makes ESS hold what sub wants, and reports.
func (r *Reconciler) Reconcile(ctx context.Context, sub *v1alpha1.EventSubscription) (ctrl.Result, error) {
	r.begin.Do(func() { r.started = r.cfg.Clock.Now() })
	if released(sub) || r.departed.has(sub.UID) {
		return ctrl.Result{}, nil
	}
	if err := finalizer.Ensure(ctx, r.cfg.Client, sub); err != nil {
		return ctrl.Result{}, err
	}
	before := sub.Status.DeepCopy()
	out := r.converge(ctx, sub)
	if ofAPIServer(out.err) {
		return ctrl.Result{}, out.err
	}
	if out.gone {
		return ctrl.Result{}, r.release(ctx, sub, out)
	}
	out.told = r.told(sub)
	out.report(sub, r.cfg.Clock.Now())
	if err := r.writeStatus(ctx, sub, before, out); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: r.next(sub, out), Priority: new(wake.Promptly)}, nil
}

// ofAPIServer reports whether a failure is the API server's trouble, which is not the object's. Then
// nothing is known of what is written, so that nothing more can be.
func ofAPIServer(err error) bool {
	status := apierrors.APIStatus(nil)
	return errors.As(err, &status) || errors.Is(err, errNotWritten) || errors.Is(err, index.ErrLookup)
}

// told is what the receiver said about sub; nil when that is not known.
func (r *Reconciler) told(sub *v1alpha1.EventSubscription) *statistics.Report {
	if r.cfg.Statistics == nil {
		return nil
	}
	report, ok := r.cfg.Statistics.Of(client.ObjectKeyFromObject(sub))
	if !ok {
		return nil
	}
	return &report
}

// released reports whether an object that is being deleted has our finalizer no
// longer: what had to be done was done, or a person decided that it need not be.
func released(sub *v1alpha1.EventSubscription) bool {
	return !sub.DeletionTimestamp.IsZero() && !controllerutil.ContainsFinalizer(sub, v1alpha1.Finalizer)
}

// writeStatus writes the status of sub when it says something new, and tells what happened.
func (r *Reconciler) writeStatus(ctx context.Context, sub *v1alpha1.EventSubscription, before *v1alpha1.EventSubscriptionStatus, out outcome) error {
	written := before
	if out.claimed != nil {
		written = out.claimed
	}
	if changed(written, &sub.Status) {
		base := sub.DeepCopy()
		base.Status = *written
		err := r.cfg.Client.Status().Patch(ctx, sub, client.MergeFrom(base))
		if client.IgnoreNotFound(err) != nil { // nobody is left to tell
			return fmt.Errorf("writing status: %w", err)
		}
	}
	r.announce(ctx, before, sub, out)
	return nil
}

// release lets an object go that has nothing to wait for.
func (r *Reconciler) release(ctx context.Context, sub *v1alpha1.EventSubscription, out outcome) error {
	waiting := []types.NamespacedName{index.ConnectionOf(sub)}
	if out.removed {
		waiting = append(waiting, r.cfg.Sessions.Removed(waiting[0], sub.Status.SubscriptionID)...)
	}
	if out.orphan != "" {
		// Before the object goes: after a crash nobody else would know.
		ctrl.LoggerFrom(ctx).Info("leaving a subscription behind at ESS", "orphan", out.orphan)
	}
	if err := finalizer.Release(ctx, r.cfg.Client, sub); err != nil {
		return err
	}
	r.departed.add(sub.UID, r.cfg.Clock.Now())
	r.announceGone(ctx, sub, out)
	r.corrections.forget(sub.UID)
	slices.SortFunc(waiting, func(a, b types.NamespacedName) int { return cmp.Compare(a.String(), b.String()) })
	for _, connection := range slices.Compact(waiting) {
		r.cfg.Dependents.Ring(ctx, connection, wake.Resync) // a place may be free now
	}
	return nil
}

// next is when to look again without being woken; zero when the bell will tell.
func (r *Reconciler) next(sub *v1alpha1.EventSubscription, out outcome) time.Duration {
	if errors.Is(out.err, errNotYet) {
		return out.poll // nothing was tried, so that the retry in status may be long overdue
	}
	looks := []time.Duration{
		out.poll, failure.Of(out.err).LookAgain, r.cfg.Sinks.LookAgain(sub.Spec.Sink, sub.Spec.Delivery.DeadLetterSink),
	}
	if retry := sub.Status.Retry; retry != nil {
		looks = append(looks, max(retry.NextAttemptTime.Sub(r.cfg.Clock.Now()), time.Millisecond))
	}
	return earliest(looks)
}

// earliest is the shortest of some times that are not zero; zero when all are.
func earliest(all []time.Duration) time.Duration {
	all = slices.DeleteFunc(all, func(d time.Duration) bool { return d == 0 })
	if len(all) == 0 {
		return 0
	}
	return slices.Min(all)
}
