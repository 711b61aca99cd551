package connection

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
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
	"github.com/ess-operator/ess-operator/controllers/internal/request"
	"github.com/ess-operator/ess-operator/controllers/internal/transport"
	"github.com/ess-operator/ess-operator/controllers/internal/uninstall"
	"github.com/ess-operator/ess-operator/controllers/internal/wake"
	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/session"
)

// callTimeout bounds what one reconcile asks of Concur, so that the status
// write keeps time of its own.
const callTimeout = 45 * time.Second

// Config is what a Reconciler needs. All fields but PathPrefix and Wrap are required.
type Config struct {
	// Client reads from the cache and sees its own writes.
	Client client.Client
	// Metadata reads that of Secrets from the cache.
	Metadata client.Reader
	// Live reads from the API server.
	Live client.Reader
	// Sessions are shared with the controller of EventSubscriptions.
	Sessions *session.Registry
	// Suspicions wakes this controller when dependents met a failure of the connection.
	Suspicions *wake.Bell
	// Dependents wakes the controller of EventSubscriptions.
	Dependents *wake.Bell
	// Events records what changed, for people.
	Events *record.Recorder
	// Hosts are those that a connection may name.
	Hosts Hosts
	// PathPrefix of the ESS API; empty for the documented one.
	PathPrefix string
	// Clock tells the time.
	Clock clock.PassiveClock
	// Wrap wraps the transport of every call to SAP Concur, next to the wire; nil: it stays as it is.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// Reconciler reconciles ConcurConnections.
type Reconciler struct {
	cfg        Config
	transports *transport.Pool
	keys       *keyring
}

// New returns a Reconciler.
func New(cfg Config) *Reconciler {
	return &Reconciler{cfg: cfg, transports: transport.NewPool(), keys: newKeyring(cfg.Metadata, cfg.Live)}
}

// Reconcile brings one connection's session up to date and reports.
func (r *Reconciler) Reconcile(ctx context.Context, conn *v1alpha1.ConcurConnection) (ctrl.Result, error) {
	key := client.ObjectKeyFromObject(conn)
	needed, err := r.needing(ctx, conn)
	if err != nil {
		return ctrl.Result{}, err
	}
	switch free, err := r.free(ctx, conn, needed); {
	case err != nil:
		return ctrl.Result{}, err
	case free:
		return ctrl.Result{}, r.release(ctx, conn)
	}
	if err := finalizer.Ensure(ctx, r.cfg.Client, conn); err != nil {
		return ctrl.Result{}, err
	}
	out, err := r.establish(ctx, conn)
	if err != nil {
		return ctrl.Result{}, err
	}
	err = r.report(ctx, conn, out, needed)
	if out.woken != nil { // also when the report failed: the next pass would not know that there is news
		r.cfg.Dependents.Ring(ctx, key, *out.woken)
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: out.next, Priority: new(wake.Resync)}, nil
}

// needing are the EventSubscriptions that a connection that is being deleted has to
// wait for before it may go: those that have, or may have, something to delete at ESS. Each
// claims it in status before it is made. Whoever only refers to the connection
// cannot hold it: anybody may refer to it, admitted or not.
func (r *Reconciler) needing(ctx context.Context, conn *v1alpha1.ConcurConnection) (names []types.NamespacedName, err error) {
	if conn.DeletionTimestamp.IsZero() {
		return nil, nil
	}
	users, err := index.SubscriptionsOfConnection(ctx, r.cfg.Client, client.ObjectKeyFromObject(conn))
	if err != nil {
		return nil, err
	}
	for i := range users {
		sub := &users[i]
		if sub.Status.SubscriptionID != "" && sub.Spec.EffectiveDeletionPolicy() == v1alpha1.DeletionDelete &&
			controllerutil.ContainsFinalizer(sub, v1alpha1.Finalizer) {
			names = append(names, client.ObjectKeyFromObject(sub))
		}
	}
	return names, nil
}

// free reports whether a connection that is being deleted may go.
func (r *Reconciler) free(ctx context.Context, conn *v1alpha1.ConcurConnection, needed []types.NamespacedName) (bool, error) {
	if conn.DeletionTimestamp.IsZero() || len(needed) == 0 {
		return !conn.DeletionTimestamp.IsZero(), nil
	}
	return uninstall.UnderWay(ctx, r.cfg.Live, uninstall.ConcurConnections)
}

// release lets a connection go.
func (r *Reconciler) release(ctx context.Context, conn *v1alpha1.ConcurConnection) error {
	if err := finalizer.Release(ctx, r.cfg.Client, conn); err != nil {
		return err
	}
	key := client.ObjectKeyFromObject(conn)
	r.cfg.Sessions.Close(key)
	r.keys.forget(key)
	r.cfg.Dependents.Ring(ctx, key, wake.Promptly)
	return nil
}

// outcome is what one pass found.
type outcome struct {
	session *session.Session
	// err is why the connection does not work; nil when it works or is suspended.
	err error
	// next is when to look again.
	next time.Duration
	// acted says that a request for a reconcile, if there is one, was acted upon.
	acted bool
	// woken is the priority to wake dependents with; nil when nothing is new to them.
	woken *int
}

// establish configures the session and lists ESS when that is due. It returns
// an error only when the API server could not be asked.
func (r *Reconciler) establish(ctx context.Context, conn *v1alpha1.ConcurConnection) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	s := r.cfg.Sessions.Open(client.ObjectKeyFromObject(conn))
	before, schedule := s.Snapshot(), s.Schedule()
	interval := conn.Spec.EffectiveResyncInterval()
	out := outcome{session: s, next: interval, acted: true} // also by saying why nothing can be done

	switch out.err = r.configure(ctx, conn, s); {
	case errors.Is(out.err, session.ErrSuspended):
		out.err = nil
	case out.err != nil && failure.Of(out.err).Reason == v1alpha1.UnknownReason:
		return out, out.err
	case out.err == nil:
		out.err = r.refresh(ctx, conn, s)
		out.next = r.untilNext(s, interval)
		out.acted = attempted(schedule, s.Schedule())
	}

	out.woken = news(before, s.Snapshot(), !s.Schedule().RefreshedAt.Equal(schedule.RefreshedAt))
	return out, nil
}

// news is the priority to wake dependents with after a pass changed their session from before to after, or listed ESS;
// nil when nothing is new to them. A new spec wakes them, too, but may do so before the session has it.
func news(before, after session.Snapshot, listed bool) *int {
	switch {
	case after.Phase != before.Phase, failure.Of(after.Cause).Reason != failure.Of(before.Cause).Reason, after.Limit != before.Limit:
		return new(wake.Promptly)
	case listed:
		return new(wake.Resync)
	default:
		return nil
	}
}

// attempted reports whether ESS was listed, or did not let itself be, between two moments. A call that had to wait was not made.
func attempted(before, after session.Schedule) bool {
	return !after.RefreshedAt.Equal(before.RefreshedAt) || after.Failures != before.Failures
}

// configure gives the session what spec and Secret say. It returns
// session.ErrSuspended when no call may be made.
func (r *Reconciler) configure(ctx context.Context, conn *v1alpha1.ConcurConnection, s *session.Session) error {
	if conn.Spec.Suspend {
		s.Suspend()
		return session.ErrSuspended
	}
	cfg, err := r.configuration(ctx, conn)
	if err != nil {
		if failure.Of(err).Reason != v1alpha1.UnknownReason {
			s.Fail(err)
		}
		return err
	}
	return s.Configure(cfg)
}

// refresh lists ESS when it is due, and returns why the connection does not
// work, be it found now or before.
func (r *Reconciler) refresh(ctx context.Context, conn *v1alpha1.ConcurConnection, s *session.Session) error {
	interval := conn.Spec.EffectiveResyncInterval()
	requested := s.Request(request.Of(conn))
	snapshot, schedule := s.Snapshot(), s.Schedule()
	if !requested && !r.due(snapshot, schedule, interval) {
		return snapshot.Cause
	}
	urgency := session.Resync
	if requested || schedule.Suspect || snapshot.Phase != session.Ready {
		urgency = session.Change // somebody waits for the outcome
	}
	err := s.Refresh(session.WithUrgency(ctx, urgency))
	if err != nil {
		delay := failure.Delay(err, s.Schedule().Failures, rand.Float64())
		s.RetryAt(r.cfg.Clock.Now().Add(min(delay, max(interval, ess.RetryAfter(err)))))
	}
	return err
}

// due reports whether ESS should be listed again.
func (r *Reconciler) due(snapshot session.Snapshot, schedule session.Schedule, interval time.Duration) bool {
	switch {
	case schedule.Suspect || snapshot.Phase == session.Unknown:
		return true
	case snapshot.Phase == session.Failed:
		return !r.cfg.Clock.Now().Before(schedule.RetryAt)
	default:
		return r.cfg.Clock.Since(schedule.RefreshedAt) >= interval
	}
}

// untilNext is when to look again, with some jitter so that connections spread.
func (r *Reconciler) untilNext(s *session.Session, interval time.Duration) time.Duration {
	snapshot, schedule := s.Snapshot(), s.Schedule()
	due := schedule.RefreshedAt.Add(interval + time.Duration(rand.Float64()*float64(interval)/20))
	switch {
	case schedule.PostponedTo.After(r.cfg.Clock.Now()):
		due = schedule.PostponedTo
	case snapshot.Phase == session.Failed:
		due = schedule.RetryAt
	}
	return max(due.Sub(r.cfg.Clock.Now()), time.Second)
}

// changed reports whether two statuses differ in more than times, and takes
// the times of before when they do not.
func changed(before, after *v1alpha1.ConcurConnectionStatus) bool {
	same := after.DeepCopy()
	same.TokenExpiresAt, same.LastSyncTime = before.TokenExpiresAt, before.LastSyncTime
	return !equality.Semantic.DeepEqual(before, same)
}
