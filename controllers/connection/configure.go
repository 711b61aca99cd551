package connection

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/controllers/internal/telemetry"
	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/session"
)

// configuration is what the session of conn should call with. Its failures are
// those a person can mend, or errors of the API server.
func (r *Reconciler) configuration(ctx context.Context, conn *v1alpha1.ConcurConnection) (session.Config, error) {
	id, secret, err := r.credentials(ctx, conn)
	if err != nil {
		return session.Config{}, err
	}
	shared, err := r.transports.Trusting(conn.Spec.CABundle)
	if err != nil {
		return session.Config{}, err
	}
	limit := conn.Spec.EffectiveRateLimit()
	governor := r.sessions.Govern(client.ObjectKeyFromObject(conn), session.Application{BaseURL: conn.Spec.BaseURL, ClientID: id},
		session.Limit{PerSecond: int(limit.RequestsPerSecond), Burst: int(limit.Burst)})
	return session.Config{
		Identity:    digest(conn.Spec.BaseURL, conn.Spec.APIURL, id),
		Fingerprint: digest(conn.Spec.BaseURL, conn.Spec.APIURL, conn.Spec.CABundle, id, secret),
		ClientID:    id,
		Limit:       int(conn.Spec.EffectiveMaxSubscriptions()),
		Client: func() (*ess.Client, error) {
			return ess.New(ess.Config{
				BaseURL:      conn.Spec.BaseURL,
				APIURL:       conn.Spec.APIURL,
				PathPrefix:   r.pathPrefix,
				ClientID:     id,
				ClientSecret: secret,
				AllowURL:     r.hosts.Allow,
				Transport:    governor.Transport(r.wrapped(shared)),
				Now:          r.clock.Now,
				Observe:      telemetry.ObserveCall,
			})
		},
	}, nil
}

// wrapped is the transport as the one who set Config.Wrap wants to see it.
func (r *Reconciler) wrapped(shared *http.Transport) http.RoundTripper {
	if r.wrap == nil {
		return shared
	}
	return r.wrap(shared)
}

// credentials reads client id and secret, from the API server and not from a
// cache: the operator keeps no copies of Secrets.
func (r *Reconciler) credentials(ctx context.Context, conn *v1alpha1.ConcurConnection) (id, secret string, err error) {
	ref := conn.Spec.CredentialsSecretRef
	var s corev1.Secret
	switch err := r.live.Get(ctx, types.NamespacedName{Namespace: conn.Namespace, Name: ref.Name}, &s); {
	case apierrors.IsNotFound(err):
		return "", "", failure.New(failure.ErrSecretNotFound,
			"Secret %q does not exist in namespace %q: create it, or correct spec.credentialsSecretRef.name", ref.Name, conn.Namespace)
	case err != nil:
		return "", "", fmt.Errorf("reading secret %s/%s: %w", conn.Namespace, ref.Name, err)
	}
	idKey, secretKey := ref.EffectiveKeys()
	for _, key := range []string{idKey, secretKey} {
		if len(s.Data[key]) == 0 {
			return "", "", failure.New(failure.ErrSecretInvalid,
				"Secret %q has no value under the key %q: add it, or name another key in spec.credentialsSecretRef", ref.Name, key)
		}
	}
	return string(s.Data[idKey]), string(s.Data[secretKey]), nil
}

// digest is a fingerprint of values that does not reveal them.
func digest(values ...any) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%#v", values)) // Go syntax keeps the values apart
	return hex.EncodeToString(sum[:])
}
