// Package index names the field indexes of the cache and looks objects up in
// them. The cache answers every lookup here; the API server is not asked.
package index

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

const (
	byConnection  = "connection"
	byApplication = "application"
	bySecret      = "secret"
	byID          = "subscriptionID"
)

// Add registers the indexes; call it once, before the cache starts.
func Add(ctx context.Context, indexer client.FieldIndexer) error {
	fields := []struct {
		object client.Object
		name   string
		value  client.IndexerFunc
	}{
		{&v1alpha1.EventSubscription{}, byConnection, func(o client.Object) []string {
			return []string{ConnectionOf(o.(*v1alpha1.EventSubscription)).String()}
		}},
		{&v1alpha1.EventSubscription{}, byApplication, func(o client.Object) []string {
			return []string{o.(*v1alpha1.EventSubscription).Status.ApplicationID}
		}},
		{&v1alpha1.EventSubscription{}, byID, func(o client.Object) []string {
			return []string{o.(*v1alpha1.EventSubscription).EffectiveSubscriptionID()}
		}},
		{&v1alpha1.ConcurConnection{}, bySecret, func(o client.Object) []string {
			return []string{o.(*v1alpha1.ConcurConnection).Spec.CredentialsSecretRef.Name}
		}},
	}
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
func SubscriptionsOfConnection(ctx context.Context, c client.Reader, connection types.NamespacedName) ([]v1alpha1.EventSubscription, error) {
	return subscriptions(ctx, c, byConnection, connection.String())
}

// SubscriptionsOfApplication are the EventSubscriptions that hold a
// subscription of an application, through whichever connection.
func SubscriptionsOfApplication(ctx context.Context, c client.Reader, applicationID string) ([]v1alpha1.EventSubscription, error) {
	return subscriptions(ctx, c, byApplication, applicationID)
}

// SubscriptionsOfID are the EventSubscriptions that want a subscription of this id, at whichever application.
func SubscriptionsOfID(ctx context.Context, c client.Reader, id string) ([]v1alpha1.EventSubscription, error) {
	return subscriptions(ctx, c, byID, id)
}

func subscriptions(ctx context.Context, c client.Reader, field, value string) ([]v1alpha1.EventSubscription, error) {
	var list v1alpha1.EventSubscriptionList
	if err := c.List(ctx, &list, client.MatchingFields{field: value}); err != nil {
		return nil, fmt.Errorf("listing EventSubscriptions by %s: %w", field, err)
	}
	return list.Items, nil
}

// ConnectionsOfSecret are the connections that take their credentials from a Secret.
func ConnectionsOfSecret(ctx context.Context, c client.Reader, secret types.NamespacedName) ([]v1alpha1.ConcurConnection, error) {
	var list v1alpha1.ConcurConnectionList
	err := c.List(ctx, &list, client.InNamespace(secret.Namespace), client.MatchingFields{bySecret: secret.Name})
	if err != nil {
		return nil, fmt.Errorf("listing ConcurConnections by secret: %w", err)
	}
	return list.Items, nil
}
