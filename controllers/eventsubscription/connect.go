package eventsubscription

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/controllers/internal/index"
	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/session"
)

// connect finds the session that sub may use. A session that was not used in
// this process yet is errNotYet: nothing is wrong, and the bell will ring.
func (r *Reconciler) connect(ctx context.Context, sub *v1alpha1.EventSubscription) (*session.Session, error) {
	key := index.ConnectionOf(sub)
	conn, err := r.connection(ctx, key)
	if err != nil {
		return nil, err
	}
	if err := r.consent(ctx, sub, conn); err != nil {
		return nil, err
	}
	if !conn.DeletionTimestamp.IsZero() && sub.Status.SubscriptionID == "" {
		return nil, failure.New(failure.ErrConnectionNotReady, "ConcurConnection %s is being deleted and takes no new subscriptions: use another in spec.connectionRef", key)
	}
	s, ok := r.cfg.Sessions.Session(key)
	if !ok {
		return nil, errNotYet
	}
	switch snapshot := s.Snapshot(); snapshot.Phase {
	case session.Unknown:
		return nil, errNotYet
	case session.Suspended:
		return s, failure.New(failure.ErrConnectionNotReady, "ConcurConnection %s is suspended: set its spec.suspend to false", key)
	case session.Failed:
		return s, failure.New(failure.ErrConnectionNotReady, "ConcurConnection %s is not ready (%s); kubectl describe concurconnection -n %s %s says why",
			key, failure.Of(snapshot.Cause).Reason, key.Namespace, key.Name)
	default:
		return s, nil
	}
}

// connection reads a connection. One that does not exist, or lies where the
// operator does not look, is ErrConnectionNotFound.
func (r *Reconciler) connection(ctx context.Context, key types.NamespacedName) (*v1alpha1.ConcurConnection, error) {
	if r.namespaced() && !slices.Contains(r.cfg.Namespaces, key.Namespace) {
		return nil, failure.New(failure.ErrConnectionNotFound,
			"ConcurConnection %q cannot be looked up in namespace %q, which the manager does not watch: have it added to --watch-namespaces, with a Role for the manager, or correct spec.connectionRef", key.Name, key.Namespace)
	}
	var conn v1alpha1.ConcurConnection
	switch err := r.cfg.Client.Get(ctx, key, &conn); {
	case apierrors.IsNotFound(err):
		return nil, failure.New(failure.ErrConnectionNotFound,
			"ConcurConnection %q does not exist in namespace %q: create it, or correct spec.connectionRef", key.Name, key.Namespace)
	case err != nil:
		return nil, fmt.Errorf("reading connection %s: %w: %w", key, index.ErrLookup, err)
	}
	return &conn, nil
}

// namespaced reports whether only some namespaces are watched, so that
// namespaces themselves may not be read.
func (r *Reconciler) namespaced() bool { return len(r.cfg.Namespaces) > 0 }

// consent returns an error unless conn admits the namespace of sub.
func (r *Reconciler) consent(ctx context.Context, sub *v1alpha1.EventSubscription, conn *v1alpha1.ConcurConnection) error {
	if sub.Namespace == conn.Namespace {
		return nil
	}
	refused := failure.New(failure.ErrConnectionNotAllowed,
		"ConcurConnection %s/%s does not admit namespace %q: its owner can admit it in spec.allowedNamespaces", conn.Namespace, conn.Name, sub.Namespace)
	allowed := conn.Spec.AllowedNamespaces
	switch {
	case allowed != nil && allowed.From == v1alpha1.NamespacesFromAll:
		return nil
	case allowed == nil || allowed.From != v1alpha1.NamespacesFromSelector:
		return refused
	case r.namespaced():
		return failure.New(failure.ErrConnectionNotAllowed,
			"ConcurConnection %s/%s admits namespaces by label, which a manager with --watch-namespaces may not read: its owner can use allowedNamespaces.from All", conn.Namespace, conn.Name)
	}
	selector, err := metav1.LabelSelectorAsSelector(allowed.Selector)
	if err != nil {
		return failure.New(failure.ErrConnectionNotAllowed, "spec.allowedNamespaces.selector of ConcurConnection %s/%s is invalid: %v", conn.Namespace, conn.Name, err)
	}
	namespace := &metav1.PartialObjectMetadata{}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	if err := r.cfg.Client.Get(ctx, types.NamespacedName{Name: sub.Namespace}, namespace); err != nil {
		return fmt.Errorf("reading namespace %s: %w: %w", sub.Namespace, index.ErrLookup, err)
	}
	if !selector.Matches(labels.Set(namespace.Labels)) {
		return refused
	}
	return nil
}

// desired is the subscription that ESS should hold for sub.
func (r *Reconciler) desired(sub *v1alpha1.EventSubscription) (ess.Subscription, error) {
	endpoint := sub.Spec.Endpoint.URL
	if sub.Spec.Endpoint.Receiver != nil {
		if r.cfg.ReceiverURL == "" {
			return ess.Subscription{}, failure.New(failure.ErrReceiverNotConfigured,
				"spec.endpoint.receiver is used, but the manager runs without --receiver-url: "+failure.SetReceiverURL+"; or use spec.endpoint.url")
		}
		endpoint = fmt.Sprintf("%s/events/%s/%s", r.cfg.ReceiverURL, sub.Namespace, sub.Name)
	}
	return ess.Subscription{
		ID:       sub.EffectiveSubscriptionID(),
		Topic:    sub.Spec.Topic,
		Filter:   sub.Spec.EffectiveFilter(),
		Endpoint: endpoint,
	}, nil
}
