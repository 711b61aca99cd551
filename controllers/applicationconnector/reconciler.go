package applicationconnector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/controllers/internal/index"
	"github.com/ess-operator/ess-operator/controllers/internal/login"
	"github.com/ess-operator/ess-operator/controllers/internal/record"
	"github.com/ess-operator/ess-operator/controllers/internal/sink"
	"github.com/ess-operator/ess-operator/controllers/internal/wake"
	"github.com/ess-operator/ess-operator/controllers/recovery"
	"github.com/ess-operator/ess-operator/controllers/statistics"
)

// lookAgain is when a connector is looked at again that may have to wait for one whose Secret could not be read.
const lookAgain = 15 * time.Second

// Statistics know what the receiver said about a connector; ok is false when that is nothing yet.
type Statistics interface {
	OfConnector(object types.NamespacedName) (report statistics.Report, ok bool)
}

// Recoveries know how the fetching of failed notifications goes; ok is false when nothing was tried since the start.
type Recoveries interface {
	Of(object types.NamespacedName) (outcome recovery.Outcome, ok bool)
}

// Config is what a Reconciler needs. All fields but ReceiverURL, HasRoutes, Statistics and Reports are required.
type Config struct {
	// Client reads from the cache and sees its own writes.
	Client client.Client
	// Book knows all logins.
	Book *login.Book
	// Sinks finds where notifications go.
	Sinks sink.Resolver
	// Recoveries are how the fetching of failed notifications goes, and Recovered wakes this controller when it went on.
	Recoveries Recoveries
	Recovered  *wake.Bell
	// Statistics are what the receiver said, and Reports wakes this controller for an object of which it
	// said something new; nil when no receiver is asked.
	Statistics Statistics
	Reports    *wake.Bell
	// Changed wakes the controller of routes; Routed wakes this one when the routes were written.
	Changed, Routed *wake.Bell
	// Events records what changed, for people.
	Events *record.Recorder
	// ReceiverURL is the public base URL of the companion receiver, without a
	// slash at its end; empty when there is none.
	ReceiverURL string
	// HasRoutes says that the manager writes the receiver's routes.
	HasRoutes bool
	// Clock tells the time.
	Clock clock.PassiveClock
}

// Reconciler reconciles ApplicationConnectors.
type Reconciler struct {
	Config
	rivals *wake.Bell // wakes those that have the user name of another one
}

// New returns a Reconciler.
func New(cfg Config) *Reconciler { return &Reconciler{Config: cfg, rivals: wake.NewBell()} }

// outcome is what one pass found.
type outcome struct {
	// err is why the connector does not work; nil when it does.
	err error
	// unknown says that this process does not know yet whether it works; what an earlier one wrote stays.
	unknown bool
	// sinks are where notifications go; nil when that was not found out.
	sinks *sink.Found
	// incomplete says that a Secret of another connector could not be read.
	incomplete bool
	// early says that the sinks were looked for before it was time to try again.
	early bool
	// recovery is how fetching failed notifications goes; nil when nothing was tried since the start.
	recovery *recovery.Outcome
	// told is what the receiver said; nil when that is not known.
	told *statistics.Report
}

// Reconcile looks at one connector and reports.
func (r *Reconciler) Reconcile(ctx context.Context, conn *v1alpha1.ApplicationConnector) (ctrl.Result, error) {
	if !conn.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	out, err := r.look(ctx, conn)
	if err != nil {
		return ctrl.Result{}, err // the API server's trouble is not the object's
	}
	before := conn.DeepCopy()
	r.report(conn, out)
	if changed(&before.Status, &conn.Status) {
		if err := r.Client.Status().Patch(ctx, conn, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
			return ctrl.Result{}, fmt.Errorf("writing status: %w", err)
		}
		r.announce(ctx, before, conn)
	}
	return ctrl.Result{RequeueAfter: r.next(conn, out), Priority: new(wake.Promptly)}, nil
}

// next is when to look again without being woken; zero: never.
func (r *Reconciler) next(conn *v1alpha1.ApplicationConnector, out outcome) time.Duration {
	switch retry := conn.Status.Retry; {
	case retry != nil && !out.unknown: // else the bells tell, and the retry in status may be long overdue
		return max(retry.NextAttemptTime.Sub(r.Clock.Now()), time.Millisecond)
	case out.incomplete && errors.Is(out.err, failure.ErrNotRouted):
		return lookAgain // the one that could not be read may be older and have the same user name
	default:
		return cmp.Or(failure.Of(out.err).LookAgain, r.Sinks.LookAgain(conn.Spec.Sink, conn.Spec.Delivery.DeadLetterSink))
	}
}

// look finds out whether a connector works. Its error is the API server's.
func (r *Reconciler) look(ctx context.Context, conn *v1alpha1.ApplicationConnector) (outcome, error) {
	out := r.heard(conn)
	if out.err = r.configured(); out.err != nil {
		return out, nil //nolint:nilerr // it is reported
	}
	out.incomplete, out.err = r.login(ctx, conn)
	found, err := r.Sinks.FindAll(ctx, conn.Namespace, conn.Spec.Sink, conn.Spec.Delivery.DeadLetterSink)
	for _, e := range []error{out.err, err} {
		if e != nil && !isOurs(e) {
			return out, e
		}
	}
	switch {
	case err == nil:
		out.sinks = &found
	case out.err == nil:
		out.err, out.early = err, r.tooEarly(conn)
	}
	if out.err == nil {
		r.judge(conn, &out)
	}
	return out, nil
}

// heard is what others know about a connector.
func (r *Reconciler) heard(conn *v1alpha1.ApplicationConnector) (out outcome) {
	key := client.ObjectKeyFromObject(conn)
	if r.Statistics != nil {
		if report, ok := r.Statistics.OfConnector(key); ok {
			out.told = &report
		}
	}
	if conn.Spec.Recovers() {
		if tried, ok := r.Recoveries.Of(key); ok {
			out.recovery = &tried
		}
	}
	return out
}

// tooEarly reports whether it is not yet time to try again what status.retry is about.
func (r *Reconciler) tooEarly(conn *v1alpha1.ApplicationConnector) bool {
	retry := conn.Status.Retry
	return retry != nil && conn.Status.ObservedGeneration == conn.Generation && r.Clock.Now().Before(retry.NextAttemptTime.Time)
}

// isOurs reports whether a failure is one that a person is told about, and not the API server's.
func isOurs(err error) bool { return failure.Of(err).Reason != v1alpha1.UnknownReason }

// configured says what the manager lacks.
func (r *Reconciler) configured() error {
	switch {
	case r.ReceiverURL == "":
		return failure.New(failure.ErrReceiverNotConfigured, "the manager runs without --receiver-url: "+failure.SetReceiverURL)
	case !r.HasRoutes:
		return failure.New(failure.ErrReceiverNotConfigured, "the manager does not write the receiver's routes: have it started with --receiver-routes-secret, as config/receiver and the Helm chart have it")
	default:
		return nil
	}
}

// login reads the login of conn, and looks whether it is conn's alone, as far as Secrets can be read. That another
// one cannot is told where it is looked at, and must not hold up this one: the routes keep what it had.
func (r *Reconciler) login(ctx context.Context, conn *v1alpha1.ApplicationConnector) (incomplete bool, err error) {
	var all v1alpha1.ApplicationConnectorList
	if err := r.Client.List(ctx, &all, client.UnsafeDisableDeepCopy, index.AsSeen); err != nil {
		return false, fmt.Errorf("listing ApplicationConnectors: %w", err)
	}
	incomplete = r.Book.Complete(ctx, all.Items) != nil
	_, isNew, affected, err := r.Book.Read(ctx, conn)
	if isNew {
		r.Changed.Ring(ctx, client.ObjectKeyFromObject(conn), wake.Promptly)
	}
	for _, other := range affected {
		r.rivals.Ring(ctx, other, wake.Promptly)
	}
	if err != nil {
		return incomplete, err
	}
	if senior, ok := r.Book.Senior(conn); ok {
		return incomplete, failure.New(failure.ErrUserNameConflict,
			"ApplicationConnector %s is older than %s and has the same user name, which tells connectors apart: give one of the two another, in its Secret and at SAP Concur",
			senior, client.ObjectKeyFromObject(conn))
	}
	return incomplete, nil
}

// judge decides about a connector that lacks nothing.
func (r *Reconciler) judge(conn *v1alpha1.ApplicationConnector, out *outcome) {
	_, routed, known := r.Book.Routed(client.ObjectKeyFromObject(conn))
	observed := conn.Status.ObservedGeneration == conn.Generation
	switch {
	case !known && observed:
		out.unknown = true
	case !routed:
		out.err = failure.New(failure.ErrNotRouted,
			"the receiver's routes do not hold the connector with these credentials yet; if that lasts, the manager's log and the events of the routes Secret say why")
	case out.recovery == nil:
		out.unknown = conn.Spec.Recovers() && troubled(conn) && observed
	case failure.Of(out.recovery.Err).Class != failure.BackOff:
		out.err = out.recovery.Err
	}
}

// troubled reports whether an earlier process found that fetching failed notifications needs a person.
func troubled(conn *v1alpha1.ApplicationConnector) bool {
	return conn.Status.Recovery != nil && conn.Status.Recovery.LastError != ""
}
