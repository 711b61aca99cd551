package connection

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
)

// credentials are client id and secret of a connection, and where they were read.
// The zero value says that they were not.
type credentials struct {
	id, secret string

	ref     v1alpha1.ClientCredentialsRef
	uid     types.UID // of the Secret
	version string    // resource version of the Secret
}

// keyring reads the credentials of connections, each again only when its Secret
// changed. What it keeps is what the connection's session has anyway.
type keyring struct {
	metadata client.Reader // the cache, which has no more of Secrets
	live     client.Reader // the API server

	mu   sync.Mutex
	read map[types.NamespacedName]credentials // by connection
}

func newKeyring(metadata, live client.Reader) *keyring {
	return &keyring{metadata: metadata, live: live, read: map[types.NamespacedName]credentials{}}
}

// of returns the credentials of a connection. Its failures are those a person can mend, or errors of the API server.
func (k *keyring) of(ctx context.Context, conn *v1alpha1.ConcurConnection) (credentials, error) {
	key, ref := client.ObjectKeyFromObject(conn), conn.Spec.CredentialsSecretRef
	known := k.known(key)
	if known.ref == ref && k.unchanged(ctx, conn.Namespace, known) {
		return known, nil
	}
	found, err := k.fetch(ctx, conn.Namespace, ref)
	if err != nil {
		k.forget(key)
		return credentials{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.read[key] = found
	return found, nil
}

func (k *keyring) known(connection types.NamespacedName) credentials {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.read[connection]
}

// forget drops the credentials of a connection, if there are any.
func (k *keyring) forget(connection types.NamespacedName) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.read, connection)
}

// unchanged reports whether the cache knows the Secret at the very version that was read. A cache that lags behind may
// say so a moment too long: the change that it has not seen yet will wake the connection.
func (k *keyring) unchanged(ctx context.Context, namespace string, read credentials) bool {
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	err := k.metadata.Get(ctx, types.NamespacedName{Namespace: namespace, Name: read.ref.Name}, secret)
	return err == nil && secret.UID == read.uid && secret.ResourceVersion == read.version
}

// fetch reads credentials from the API server and not from a cache: the operator keeps no copies of Secrets.
func (k *keyring) fetch(ctx context.Context, namespace string, ref v1alpha1.ClientCredentialsRef) (credentials, error) {
	var s corev1.Secret
	switch err := k.live.Get(ctx, types.NamespacedName{Namespace: namespace, Name: ref.Name}, &s); {
	case apierrors.IsNotFound(err):
		return credentials{}, failure.New(failure.ErrSecretNotFound,
			"Secret %q does not exist in namespace %q: create it, or correct spec.credentialsSecretRef.name", ref.Name, namespace)
	case err != nil:
		return credentials{}, fmt.Errorf("reading secret %s/%s: %w", namespace, ref.Name, err)
	}
	idKey, secretKey := ref.EffectiveKeys()
	for _, key := range []string{idKey, secretKey} {
		if len(s.Data[key]) == 0 {
			return credentials{}, failure.New(failure.ErrSecretInvalid,
				"Secret %q has no value under the key %q: add it, or name another key in spec.credentialsSecretRef", ref.Name, key)
		}
	}
	return credentials{
		id: string(s.Data[idKey]), secret: string(s.Data[secretKey]),
		ref: ref, uid: s.UID, version: s.ResourceVersion,
	}, nil
}
