// Package index names the field indexes of the cache and looks objects up in
// them. The cache answers every lookup here; the API server is not asked.
//
// A lookup waits until all writes of the operator to that kind have come back into the
// cache, those under way included, and one that hangs holds up all. Whoever
// decides by what the operator wrote needs that. Who only wants to know whom to wake, or what
// to show, passes [AsSeen].
package index

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// AsSeen has a lookup answered with what is in the cache, at once. What is missing there wakes whoever is
// concerned when it comes.
const AsSeen = client.DisableReadYourWritesConsistency

// ErrLookup says that the cache did not answer, because it is not there yet, or does not see in time what the operator has
// written. It is the API server's trouble, and nothing that the object that was looked up for could help.
var ErrLookup = errors.New("looking up in the cache")

const (
	byConnection  = "connection"
	byApplication = "application"
	bySecret      = "secret"
	byID          = "subscriptionID"
	bySecrets     = "secrets"
)

// field is an index of one kind.
type field struct {
	object client.Object
	name   string
	value  client.IndexerFunc
}

// Add registers the indexes, but for those of AddConnectors; call it once, before the cache starts.
func Add(ctx context.Context, indexer client.FieldIndexer) error {
	return add(ctx, indexer, []field{
		{&v1alpha1.EventSubscription{}, byConnection, func(o client.Object) []string {
			return []string{ConnectionOf(o.(*v1alpha1.EventSubscription)).String()}
		}},
		{&v1alpha1.EventSubscription{}, byID, func(o client.Object) []string {
			return []string{o.(*v1alpha1.EventSubscription).EffectiveSubscriptionID()}
		}},
		{&v1alpha1.ConcurConnection{}, byApplication, func(o client.Object) []string {
			return []string{ApplicationOf(o.(*v1alpha1.ConcurConnection)).String()}
		}},
		{&v1alpha1.ConcurConnection{}, bySecret, func(o client.Object) []string {
			return []string{o.(*v1alpha1.ConcurConnection).Spec.CredentialsSecretRef.Name}
		}},
	})
}

// AddConnectors registers the index of ApplicationConnectors; call it once, when the API server knows them.
func AddConnectors(ctx context.Context, indexer client.FieldIndexer) error {
	return add(ctx, indexer, []field{
		{&v1alpha1.ApplicationConnector{}, bySecrets, func(o client.Object) []string {
			spec := &o.(*v1alpha1.ApplicationConnector).Spec
			return []string{spec.CredentialsSecretRef.Name, spec.Recovery.TokenSecretRef.Name}
		}},
	})
}

func add(ctx context.Context, indexer client.FieldIndexer, fields []field) error {
	for _, f := range fields {
		if err := indexer.IndexField(ctx, f.object, f.name, f.value); err != nil {
			return fmt.Errorf("indexing %T by %s: %w", f.object, f.name, err)
		}
	}
	return nil
}

// ConnectionOf is the name of the connection that sub refers to.
func ConnectionOf(sub *v1alpha1.EventSubscription) types.NamespacedName {
	return types.NamespacedName{Namespace: sub.EffectiveConnectionNamespace(), Name: sub.Spec.ConnectionRef.Name}
}

// SubscriptionsOfConnection are the EventSubscriptions that refer to a connection, in any namespace.
func SubscriptionsOfConnection(ctx context.Context, c client.Reader, connection types.NamespacedName, opts ...client.ListOption) ([]v1alpha1.EventSubscription, error) {
	return subscriptions(ctx, c, client.MatchingFields{byConnection: connection.String()}, opts)
}

// Application is one application in one data center. Subscriptions, and their
// ids and limits, belong to it, through however many connections it is used.
type Application struct {
	// ID of the application.
	ID string
	// Geolocation is the base URI that the token service named.
	Geolocation string
}

// String is the application as an index key.
func (a Application) String() string { return a.ID + "@" + a.Geolocation }

// ApplicationOf is the application that a connection was last seen to act as.
func ApplicationOf(conn *v1alpha1.ConcurConnection) Application {
	return Application{ID: conn.Status.ApplicationID, Geolocation: conn.Status.Geolocation}
}

// SubscriptionsOfApplication are the EventSubscriptions that refer to an application, through whichever connection.
func SubscriptionsOfApplication(ctx context.Context, c client.Reader, application Application, opts ...client.ListOption) ([]v1alpha1.EventSubscription, error) {
	var connections v1alpha1.ConcurConnectionList
	if err := c.List(ctx, &connections, append(opts, client.MatchingFields{byApplication: application.String()})...); err != nil {
		return nil, fmt.Errorf("listing ConcurConnections by application: %w: %w", ErrLookup, err)
	}
	var all []v1alpha1.EventSubscription
	for i := range connections.Items {
		subs, err := SubscriptionsOfConnection(ctx, c, client.ObjectKeyFromObject(&connections.Items[i]), opts...)
		if err != nil {
			return nil, err
		}
		all = append(all, subs...)
	}
	return all, nil
}

// SubscriptionsOfID are the EventSubscriptions that want a subscription of this id, at whichever application.
func SubscriptionsOfID(ctx context.Context, c client.Reader, id string, opts ...client.ListOption) ([]v1alpha1.EventSubscription, error) {
	return subscriptions(ctx, c, client.MatchingFields{byID: id}, opts)
}

func subscriptions(ctx context.Context, c client.Reader, that client.MatchingFields, opts []client.ListOption) ([]v1alpha1.EventSubscription, error) {
	var list v1alpha1.EventSubscriptionList
	if err := c.List(ctx, &list, append(opts, that)...); err != nil {
		return nil, fmt.Errorf("listing EventSubscriptions by %v: %w: %w", that, ErrLookup, err)
	}
	return list.Items, nil
}

// ConnectionsOfSecret are the connections that take their credentials from a Secret, [AsSeen].
func ConnectionsOfSecret(ctx context.Context, c client.Reader, secret types.NamespacedName) ([]v1alpha1.ConcurConnection, error) {
	var list v1alpha1.ConcurConnectionList
	err := c.List(ctx, &list, client.InNamespace(secret.Namespace), client.MatchingFields{bySecret: secret.Name}, AsSeen)
	if err != nil {
		return nil, fmt.Errorf("listing ConcurConnections by secret: %w", err)
	}
	return list.Items, nil
}

// ConnectorsOfSecret are the ApplicationConnectors that take their credentials or their token from a Secret, [AsSeen].
func ConnectorsOfSecret(ctx context.Context, c client.Reader, secret types.NamespacedName) ([]types.NamespacedName, error) {
	var list v1alpha1.ApplicationConnectorList
	err := c.List(ctx, &list, client.InNamespace(secret.Namespace), client.MatchingFields{bySecrets: secret.Name}, client.UnsafeDisableDeepCopy, AsSeen)
	if err != nil {
		return nil, fmt.Errorf("listing ApplicationConnectors by secret: %w", err)
	}
	names := make([]types.NamespacedName, 0, len(list.Items))
	for i := range list.Items {
		names = append(names, client.ObjectKeyFromObject(&list.Items[i]))
	}
	return names, nil
}
