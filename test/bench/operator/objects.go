package main

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

const (
	// edited is the namespace whose objects the benchmark changes while it counts writes elsewhere.
	edited = "edited"
	topic  = "public.concur.expense.report"
	// company makes the subscriptions look as they do in use: with a company connected.
	company = "e6a1f1c4-8c8a-4f35-9c52-6d52f6a7a001"
	// perNamespace is how many connections, or a hundredth of the foreign Secrets, share a namespace.
	perNamespace = 20
	// writers is how many requests the benchmark makes at once when it does not measure.
	writers = 16
)

// connection is one application and where its objects are.
type connection struct {
	namespace, name string
	application     essemulator.Application
}

// namespace makes a namespace.
func (b *bench) namespace(ctx context.Context, name string) error {
	return b.client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
}

// connect registers a new application and creates its Secret and its ConcurConnection.
func (b *bench) connect(ctx context.Context, namespace string) (connection, error) {
	c := b.application(namespace)
	return c, b.createConnection(ctx, c)
}

// application registers a new application. It makes no request.
func (b *bench) application(namespace string) connection {
	b.apps++
	c := connection{namespace: namespace, name: fmt.Sprintf("acme-%04d", b.apps), application: essemulator.Application{
		ID:      fmt.Sprintf("dabd27f0-23e7-415d-b5e5-%012d", b.apps),
		Secrets: []string{fmt.Sprintf("3f7bd0a2-5d5e-4c53-9f0c-%012d", b.apps)},
		Scopes:  []string{"events.topic.read", "expense.report.read", "travelrequest.write"}, AllowedPrincipal: company,
	}}
	b.concur.PutApplication(c.application)
	return c
}

func (b *bench) createConnection(ctx context.Context, c connection) error {
	if err := b.client.Create(ctx, c.secret()); err != nil {
		return err
	}
	return b.client.Create(ctx, &v1alpha1.ConcurConnection{
		ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: c.name},
		Spec: v1alpha1.ConcurConnectionSpec{
			BaseURL:              b.server.URL,
			CABundle:             b.ca,
			CredentialsSecretRef: v1alpha1.ClientCredentialsRef{Name: c.name},
			ResyncInterval:       &metav1.Duration{Duration: b.sizes.resync},
		},
	})
}

// secret holds the newest credentials of the application.
func (c connection) secret() *corev1.Secret {
	secrets := c.application.Secrets
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: c.name},
		StringData: map[string]string{"client_id": c.application.ID, "client_secret": secrets[len(secrets)-1]},
	}
}

// subscription is the nth of a connection.
func (c connection) subscription(n int) *v1alpha1.EventSubscription {
	return &v1alpha1.EventSubscription{
		ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: fmt.Sprintf("%s-%d", c.name, n)},
		Spec: v1alpha1.EventSubscriptionSpec{
			ConnectionRef: v1alpha1.ConnectionRef{Name: c.name},
			Topic:         topic,
			Endpoint:      v1alpha1.Endpoint{URL: "https://events.example.net/concur"},
		},
	}
}

// createAll creates connections with all their subscriptions.
func (b *bench) createAll(ctx context.Context, connections []connection) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for _, c := range connections {
		group.Go(func() error {
			if err := b.createConnection(ctx, c); err != nil {
				return err
			}
			for n := range b.sizes.subscriptions {
				if err := b.client.Create(ctx, c.subscription(n)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// createForeign creates Secrets of about the size that a Helm release or a
// certificate has, with the labels and annotations that tools write.
func (b *bench) createForeign(ctx context.Context) error {
	const namespaces = 10
	for i := range namespaces {
		if err := b.namespace(ctx, fmt.Sprintf("foreign-%d", i)); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for i := range b.sizes.foreign {
		group.Go(func() error { return b.client.Create(ctx, foreign(fmt.Sprintf("foreign-%d", i%namespaces), i)) })
	}
	return group.Wait()
}

func foreign(namespace string, i int) client.Object {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: fmt.Sprintf("release-%05d", i),
			Labels: map[string]string{
				"app.kubernetes.io/name": "something", "app.kubernetes.io/managed-by": "Helm",
				"app.kubernetes.io/instance": fmt.Sprintf("something-%05d", i), "helm.sh/chart": "something-1.2.3",
			},
			Annotations: map[string]string{"kubectl.kubernetes.io/last-applied-configuration": strings.Repeat("x", 1024)},
		},
		Data: map[string][]byte{"payload": []byte(strings.Repeat("y", 2048))},
	}
}
