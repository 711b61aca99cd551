package routes

import (
	"bytes"
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/login"
	"github.com/ess-operator/ess-operator/controllers/internal/record"
	"github.com/ess-operator/ess-operator/controllers/internal/telemetry"
	"github.com/ess-operator/ess-operator/controllers/internal/wake"
)

// Key is the key of the Secret that holds the routes file.
const Key = "routes.yaml"

const (
	// lookAgain is how often the Secret is read though no change was seen: a manager that watches some namespaces only sees
	// none of the Secret's.
	lookAgain = time.Minute
	// tryAgain is how soon a Secret that was missing is looked for.
	tryAgain = 15 * time.Second
)

// Logins know the user names and passwords of ApplicationConnectors, and want to know which of them the file holds.
type Logins interface {
	// Complete reads those that are not known yet.
	Complete(ctx context.Context, all []v1alpha1.ApplicationConnector) error
	// All are those known.
	All() map[types.NamespacedName]login.Login
	// SetRouted tells which the file holds, and returns the connectors to which that is news.
	SetRouted(routed map[types.NamespacedName]login.Login) []types.NamespacedName
}

// Config is what a Reconciler needs. All fields but CrossNamespaceSinks and LeftOut are required.
type Config struct {
	// Client reads our kinds from the cache, and Secrets from the API server.
	Client client.Client
	// Events records trouble with the Secret, for people.
	Events *record.Recorder
	// Secret is the name of the Secret, which has to exist.
	Secret types.NamespacedName
	// CrossNamespaceSinks says that sinks in other namespaces may be referred to.
	CrossNamespaceSinks bool
	// LeftOut are namespaces that may not be read at present.
	LeftOut []string
	// Logins are those of the connectors.
	Logins Logins
	// Changed wakes this controller when a login changed; Routed wakes a connector when the file holds it as it is now.
	Changed, Routed *wake.Bell
	// Clock tells when former credentials have to go.
	Clock clock.PassiveClock
}

// Reconciler keeps the routes in the Secret. It works on one key at a time.
type Reconciler struct {
	cfg     Config
	trouble *record.Trouble
}

// New returns a Reconciler.
func New(cfg Config) *Reconciler {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: cfg.Secret.Namespace, Name: cfg.Secret.Name}}
	return &Reconciler{cfg: cfg, trouble: record.NewTrouble(cfg.Events, secret, "Route")}
}

// Reconcile writes the routes when they differ from what the Secret holds.
func (r *Reconciler) Reconcile(ctx context.Context, _ reconcile.Request) (ctrl.Result, error) {
	var secret corev1.Secret
	// This read is from the API server, and where the Secret is in a namespace that is not watched, our own writes never
	// come to the cache that a read would otherwise wait for.
	if err := r.cfg.Client.Get(ctx, r.cfg.Secret, &secret, client.DisableReadYourWritesConsistency); err != nil {
		return r.unreadable(ctx, err)
	}
	rendered, err := r.render(ctx, secret.Data[Key])
	text := rendered.Text
	switch {
	case err != nil:
		return ctrl.Result{}, err
	case bytes.Equal(text, secret.Data[Key]):
		return r.written(ctx, rendered), nil
	case len(text)+others(&secret) > corev1.MaxSecretSize:
		telemetry.CountRoutesWrite("too_large")
		r.trouble.Tell(ctx, "RoutesTooLarge", fmt.Sprintf(
			"the routes have %d bytes, and a Secret holds no more than %d: the receiver keeps the routes of before, and events of new EventSubscriptions are not taken; use fewer, or shorter caBundles, or a second operator with a receiver of its own for some namespaces",
			len(text), corev1.MaxSecretSize))
		return ctrl.Result{RequeueAfter: lookAgain}, nil
	}
	return r.write(ctx, &secret, rendered)
}

// written tells who waited for it that the Secret holds what was rendered, and when to look again.
func (r *Reconciler) written(ctx context.Context, rendered Rendered) ctrl.Result {
	r.trouble.Over()
	r.announce(ctx, rendered.Routed)
	next := lookAgain
	if !rendered.Next.IsZero() {
		next = min(next, max(rendered.Next.Sub(r.cfg.Clock.Now()), time.Second))
	}
	if rendered.Incomplete {
		next = min(next, tryAgain)
	}
	return ctrl.Result{RequeueAfter: next}
}

// announce tells the connectors to which it is news what the Secret holds.
func (r *Reconciler) announce(ctx context.Context, routed map[types.NamespacedName]login.Login) {
	for _, connector := range r.cfg.Logins.SetRouted(routed) {
		r.cfg.Routed.Ring(ctx, connector, wake.Promptly)
	}
}

// render renders from the cache.
func (r *Reconciler) render(ctx context.Context, before []byte) (Rendered, error) {
	var subs v1alpha1.EventSubscriptionList
	var conns v1alpha1.ConcurConnectionList
	var connectors v1alpha1.ApplicationConnectorList
	for _, list := range []client.ObjectList{&subs, &conns, &connectors} {
		// Nothing is changed here, and there may be thousands. What the operator has written wakes this controller once it is seen.
		if err := r.cfg.Client.List(ctx, list, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
			return Rendered{}, fmt.Errorf("listing %T: %w", list, err)
		}
	}
	unread := r.cfg.Logins.Complete(ctx, connectors.Items)
	if unread != nil {
		// The others are not kept waiting; the route of this one stays as it is.
		ctrl.LoggerFrom(ctx).Error(unread, "reading Secrets of ApplicationConnectors")
	}
	rendered, err := Render(World{
		Subscriptions: subs.Items, Connections: conns.Items, Before: before, CrossNamespaceSinks: r.cfg.CrossNamespaceSinks, LeftOut: r.cfg.LeftOut,
		Connectors: connectors.Items, Logins: r.cfg.Logins.All(), Now: r.cfg.Clock.Now(),
	})
	if err == nil {
		telemetry.SetRoutes(rendered.Count, len(rendered.Text))
	}
	rendered.Incomplete = unread != nil
	return rendered, err
}

// write writes the routes, and nothing else of the Secret.
func (r *Reconciler) write(ctx context.Context, secret *corev1.Secret, rendered Rendered) (ctrl.Result, error) {
	before := secret.DeepCopy()
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	secret.Data[Key] = rendered.Text
	if err := r.cfg.Client.Patch(ctx, secret, client.MergeFrom(before)); err != nil {
		telemetry.CountRoutesWrite("failed")
		if apierrors.IsForbidden(err) || apierrors.IsInvalid(err) {
			r.trouble.Tell(ctx, "RoutesNotWritten", fmt.Sprintf(
				"the routes cannot be written to Secret %s: %v; the manager needs the Role of config/receiver, and the Secret must not be immutable", r.cfg.Secret, err))
		}
		return ctrl.Result{}, fmt.Errorf("writing routes to Secret %s: %w", r.cfg.Secret, err)
	}
	telemetry.CountRoutesWrite("written")
	ctrl.LoggerFrom(ctx).Info("wrote routes", "secret", r.cfg.Secret.String(), "bytes", len(rendered.Text))
	return r.written(ctx, rendered), nil
}

// unreadable says what to do about a Secret that cannot be read.
func (r *Reconciler) unreadable(ctx context.Context, err error) (ctrl.Result, error) {
	switch {
	case apierrors.IsNotFound(err):
		r.announce(ctx, nil)
		r.trouble.Tell(ctx, "RoutesSecretMissing", fmt.Sprintf(
			"Secret %s does not exist, so that the receiver has no routes and answers 503: apply config/receiver, or correct --receiver-routes-secret", r.cfg.Secret))
	case apierrors.IsForbidden(err):
		r.trouble.Tell(ctx, "RoutesSecretForbidden", fmt.Sprintf(
			"the manager may not read Secret %s, so that the receiver has no routes and answers 503: apply the Role of config/receiver, or correct --receiver-routes-secret", r.cfg.Secret))
	default:
		return ctrl.Result{}, fmt.Errorf("reading Secret %s: %w", r.cfg.Secret, err)
	}
	telemetry.CountRoutesWrite("missing")
	return ctrl.Result{RequeueAfter: tryAgain}, nil
}

// others is the size of what else the Secret holds.
func others(secret *corev1.Secret) int {
	size := 0
	for key, value := range secret.Data {
		if key != Key {
			size += len(value)
		}
	}
	return size
}
