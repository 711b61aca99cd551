package connection

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/telemetry"
	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/session"
)

// configuration is what the session of conn should call with. Its failures are
// those a person can mend, or errors of the API server.
func (r *Reconciler) configuration(ctx context.Context, conn *v1alpha1.ConcurConnection) (session.Config, error) {
	as, err := r.keys.of(ctx, conn)
	if err != nil {
		return session.Config{}, err
	}
	shared, err := r.transports.Trusting(conn.Spec.CABundle)
	if err != nil {
		return session.Config{}, err
	}
	limit := conn.Spec.EffectiveRateLimit()
	governor := r.cfg.Sessions.Govern(client.ObjectKeyFromObject(conn), session.Application{BaseURL: conn.Spec.BaseURL, ClientID: as.id},
		session.Limit{PerSecond: int(limit.RequestsPerSecond), Burst: int(limit.Burst)})
	return session.Config{
		Identity:    digest(conn.Spec.BaseURL, conn.Spec.APIURL, as.id),
		Fingerprint: digest(conn.Spec.BaseURL, conn.Spec.APIURL, conn.Spec.CABundle, as.id, as.secret),
		ClientID:    as.id,
		Limit:       int(conn.Spec.EffectiveMaxSubscriptions()),
		Client: func() (*ess.Client, error) {
			return ess.New(ess.Config{
				BaseURL:      conn.Spec.BaseURL,
				APIURL:       conn.Spec.APIURL,
				PathPrefix:   r.cfg.PathPrefix,
				ClientID:     as.id,
				ClientSecret: as.secret,
				AllowURL:     r.cfg.Hosts.Allow,
				Transport:    governor.Transport(r.wrapped(shared)),
				Now:          r.cfg.Clock.Now,
				Observe:      telemetry.ObserveCall,
			})
		},
	}, nil
}

// wrapped is the transport as the one who set Config.Wrap wants to see it.
func (r *Reconciler) wrapped(shared *http.Transport) http.RoundTripper {
	if r.cfg.Wrap == nil {
		return shared
	}
	return r.cfg.Wrap(shared)
}

// digest is a fingerprint of values that does not reveal them.
func digest(values ...any) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%#v", values)) // Go syntax keeps the values apart
	return hex.EncodeToString(sum[:])
}
