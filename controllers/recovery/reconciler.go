package recovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/controllers/internal/login"
	"github.com/ess-operator/ess-operator/controllers/internal/record"
	"github.com/ess-operator/ess-operator/controllers/internal/request"
	"github.com/ess-operator/ess-operator/controllers/internal/telemetry"
	"github.com/ess-operator/ess-operator/controllers/internal/transport"
	"github.com/ess-operator/ess-operator/controllers/internal/wake"
	"github.com/ess-operator/ess-operator/internal/notifications"
)

const (
	// runTimeout bounds one run; what is left is for the next.
	runTimeout = 5 * time.Minute
	// soon is when a run goes on that left something.
	soon = 10 * time.Second
	// untilRouted is how often a connector is looked at whose routes are not written yet.
	untilRouted = 2 * time.Second
)

// Config is what a Reconciler needs. All fields but Wrap are required.
type Config struct {
	// Client reads from the cache; Live reads from the API server.
	Client client.Client
	Live   client.Reader
	// Book knows the logins, and which of them the receiver has.
	Book *login.Book
	// Receiver is where notifications are posted.
	Receiver Receiver
	// AllowURL refuses hosts that may not be called.
	AllowURL func(*url.URL) error
	// Wrap wraps the transport of every call to SAP Concur; nil: it stays as it is.
	Wrap func(http.RoundTripper) http.RoundTripper
	// Recovered wakes the controller that reports outcomes.
	Recovered *wake.Bell
	// Events records what was recovered, for people.
	Events *record.Recorder
	// Clock tells the time.
	Clock clock.PassiveClock
}

// Reconciler fetches failed notifications when it is time.
type Reconciler struct {
	Config
	states     states
	transports *transport.Pool
}

// New returns a Reconciler.
func New(cfg Config) *Reconciler {
	return &Reconciler{Config: cfg, states: states{all: map[types.NamespacedName]*state{}}, transports: transport.NewPool()}
}

// Of is how the fetching for a connector goes; ok is false when nothing was tried since the start.
func (r *Reconciler) Of(key types.NamespacedName) (outcome Outcome, ok bool) {
	r.states.mu.Lock()
	defer r.states.mu.Unlock()
	st := r.states.all[key]
	if st == nil {
		return Outcome{}, false
	}
	return st.outcome, st.tried
}

// Reconcile goes through the list of one connector, if it is time.
func (r *Reconciler) Reconcile(ctx context.Context, conn *v1alpha1.ApplicationConnector) (ctrl.Result, error) {
	key := client.ObjectKeyFromObject(conn)
	if !conn.Spec.Recovers() || !conn.DeletionTimestamp.IsZero() {
		r.forget(key)
		return ctrl.Result{}, nil
	}
	l, routed, _ := r.Book.Routed(key)
	if !routed {
		return ctrl.Result{RequeueAfter: untilRouted}, nil // nothing could be stored
	}
	st := r.states.of(key, conn)
	if !r.isDue(conn, st) {
		return ctrl.Result{RequeueAfter: max(st.due.Sub(r.Clock.Now()), time.Millisecond)}, nil
	}
	before, _ := r.Of(key)
	outcome, stored, more := r.run(ctx, conn, st, l)
	if errors.Is(outcome.Err, errUnread) || ctx.Err() != nil {
		return ctrl.Result{}, errors.Join(outcome.Err, ctx.Err()) // the API server's trouble, or the end of the process
	}
	st.generation, st.requested = conn.Generation, request.Of(conn)
	outcome.Requested = st.requested
	r.settle(conn, st, outcome, more)
	outcome.Recovered = before.Recovered + int64(stored)
	if outcome.RanAt.IsZero() {
		outcome.RanAt, outcome.FailedSeen = before.RanAt, cmp.Or(outcome.FailedSeen, before.FailedSeen)
	}
	r.states.note(st, outcome)
	r.tell(ctx, conn, outcome, stored)
	return ctrl.Result{RequeueAfter: max(st.due.Sub(r.Clock.Now()), time.Millisecond)}, nil
}

func (r *Reconciler) forget(key types.NamespacedName) {
	r.states.forget(key)
	telemetry.ForgetRecovery(key)
}

// isDue reports whether it is time, or somebody asks for a run or changed what the last one failed for.
func (r *Reconciler) isDue(conn *v1alpha1.ApplicationConnector, st *state) bool {
	return r.states.takeHurry(st) && st.failures > 0 || st.generation != conn.Generation || request.Of(conn) != st.requested ||
		!r.Clock.Now().Before(st.due)
}

// settle sets when the next run is due.
func (r *Reconciler) settle(conn *v1alpha1.ApplicationConnector, st *state, o Outcome, more bool) {
	interval := conn.Spec.Recovery.EffectiveInterval()
	wait := interval + time.Duration(rand.Float64()*float64(interval)/20) // so that connectors spread
	switch {
	case o.RanAt.IsZero():
		st.failures++
		wait = failure.Delay(o.Err, st.failures, rand.Float64())
		if e, ok := errors.AsType[*refused](o.Err); ok {
			wait = max(wait, e.retryAfter)
		}
	case more:
		st.failures, wait = 0, soon
	default:
		st.failures = 0
	}
	st.due = r.Clock.Now().Add(wait)
}

// run goes through the list once. An outcome with a RanAt got to the list's end.
func (r *Reconciler) run(ctx context.Context, conn *v1alpha1.ApplicationConnector, st *state, l login.Login) (o Outcome, stored int, more bool) {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	concur, err := r.concur(ctx, conn)
	if err != nil {
		return Outcome{Err: err}, 0, false
	}
	poster, done, err := r.Receiver.open()
	if err != nil {
		return Outcome{Err: err}, 0, false
	}
	defer done()
	way := &run{
		concur: concur, receiver: r.Receiver, poster: poster, path: conn.Spec.EffectivePath(), login: l,
		delete: conn.Spec.Recovery.DeleteRecovered, budget: st.budget, done: st.done,
	}
	listed, err := way.all(ctx)
	st.done = way.done
	o = Outcome{Err: err, FailedSeen: int64(listed)}
	if err == nil {
		o.RanAt, o.Err = r.Clock.Now(), way.skipped
	}
	return o, way.stored, way.more
}

// concur is a client with what spec and Secret say.
func (r *Reconciler) concur(ctx context.Context, conn *v1alpha1.ApplicationConnector) (*notifications.Client, error) {
	spec := &conn.Spec.Recovery
	token, err := r.token(ctx, conn)
	if err != nil {
		return nil, err
	}
	shared, err := r.transports.Trusting(spec.CABundle)
	if err != nil {
		return nil, err
	}
	var carrier http.RoundTripper = shared
	if r.Wrap != nil {
		carrier = r.Wrap(shared)
	}
	return notifications.New(notifications.Config{
		BaseURL: spec.BaseURL, Scheme: string(spec.EffectiveAuthScheme()), Token: token, Transport: carrier,
		AllowURL: r.AllowURL, Now: r.Clock.Now, Observe: telemetry.ObserveNotificationCall,
	})
}

// errUnread is a Secret that the API server did not give out.
var errUnread = errors.New("reading secret")

// token reads the token from the API server.
func (r *Reconciler) token(ctx context.Context, conn *v1alpha1.ApplicationConnector) (string, error) {
	ref := conn.Spec.Recovery.TokenSecretRef
	var secret corev1.Secret
	switch err := r.Live.Get(ctx, types.NamespacedName{Namespace: conn.Namespace, Name: ref.Name}, &secret); {
	case apierrors.IsNotFound(err):
		return "", failure.New(failure.ErrSecretNotFound,
			"Secret %q does not exist in namespace %q: create it, or correct spec.recovery.tokenSecretRef.name", ref.Name, conn.Namespace)
	case err != nil:
		return "", fmt.Errorf("%w %s/%s: %w", errUnread, conn.Namespace, ref.Name, err)
	}
	token := strings.TrimSpace(string(secret.Data[ref.EffectiveKey()]))
	if token == "" || strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return "", failure.New(failure.ErrSecretInvalid,
			"Secret %q has no token under the key %q, or something that is none: put the access token there, one line of visible characters, or name another key in spec.recovery.tokenSecretRef",
			ref.Name, ref.EffectiveKey())
	}
	return token, nil
}

// tell tells people and metrics what a run came to.
func (r *Reconciler) tell(ctx context.Context, conn *v1alpha1.ApplicationConnector, o Outcome, stored int) {
	key := client.ObjectKeyFromObject(conn)
	result := "ok"
	if o.Err != nil {
		result = failure.Of(o.Err).Reason
		ctrl.LoggerFrom(ctx).Info("fetching failed notifications met a failure", "reason", result, "error", o.Err.Error())
	}
	telemetry.CountRecoveryRun(key, result, o.FailedSeen, o.RanAt)
	if stored > 0 {
		r.Events.Record(ctx, conn, record.Event{Type: corev1.EventTypeNormal, Reason: "Recovered", Action: "Recover",
			Note: fmt.Sprintf("notifications that SAP Concur had listed as FAILED and the receiver now has stored: %d", stored)})
	}
	r.Recovered.Ring(ctx, key, wake.Resync)
}
