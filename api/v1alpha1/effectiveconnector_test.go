package v1alpha1_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// effectiveConnector are the values in force of a connector.
func effectiveConnector(s v1alpha1.ApplicationConnectorSpec) map[string]any {
	username, password := s.CredentialsSecretRef.EffectiveKeys()
	return map[string]any{
		"usernameKey": username, "passwordKey": password, "path": s.EffectivePath(), "credentialOverlap": s.EffectiveCredentialOverlap(),
		"key": s.Recovery.TokenSecretRef.EffectiveKey(), "authScheme": s.Recovery.EffectiveAuthScheme(),
		"interval": s.Recovery.EffectiveInterval(), "recovers": s.Recovers(),
	}
}

func TestEffectiveValuesOfConnectors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		spec   v1alpha1.ApplicationConnectorSpec
		want   map[string]any
	}{
		"Absent": {
			reason: "as docs/reference/api.md has them",
			want: map[string]any{
				"usernameKey": "username", "passwordKey": "password", "path": "/concur/v1.0/notify", "credentialOverlap": time.Hour,
				"key": "token", "authScheme": v1alpha1.AuthOAuth, "interval": 10 * time.Minute, "recovers": false,
			},
		},
		"Given": {
			reason: "what a person wrote counts, also that old credentials end at once",
			spec: v1alpha1.ApplicationConnectorSpec{
				CredentialsSecretRef: v1alpha1.BasicCredentialsRef{UsernameKey: "u", PasswordKey: "p"},
				Path:                 "/a", CredentialOverlap: &metav1.Duration{},
				Recovery: v1alpha1.Recovery{
					BaseURL: "https://www.concursolutions.com", TokenSecretRef: v1alpha1.TokenRef{Key: "k"},
					AuthScheme: v1alpha1.AuthBearer, Interval: &metav1.Duration{Duration: time.Minute},
				},
			},
			want: map[string]any{
				"usernameKey": "u", "passwordKey": "p", "path": "/a", "credentialOverlap": time.Duration(0),
				"key": "k", "authScheme": v1alpha1.AuthBearer, "interval": time.Minute, "recovers": true,
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, effectiveConnector(tt.spec)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}
