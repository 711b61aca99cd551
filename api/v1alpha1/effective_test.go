package v1alpha1_test

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// effective are the values in force of a connection and a subscription.
func effective(conn v1alpha1.ConcurConnectionSpec, spec v1alpha1.EventSubscriptionSpec) map[string]any {
	sub := v1alpha1.EventSubscription{ObjectMeta: metav1.ObjectMeta{Namespace: "finance", Name: "reports"}, Spec: spec}
	id, secret := conn.CredentialsSecretRef.EffectiveKeys()
	return map[string]any{
		"clientIDKey":             id,
		"clientSecretKey":         secret,
		"resyncInterval":          conn.EffectiveResyncInterval(),
		"rateLimit":               conn.EffectiveRateLimit(),
		"maxSubscriptions":        conn.EffectiveMaxSubscriptions(),
		"subscriptionID":          sub.EffectiveSubscriptionID(),
		"connectionRef.namespace": sub.EffectiveConnectionNamespace(),
		"filter":                  sub.Spec.EffectiveFilter(),
		"adoptionPolicy":          sub.Spec.EffectiveAdoptionPolicy(),
		"deletionPolicy":          sub.Spec.EffectiveDeletionPolicy(),
	}
}

// promised are the values of absent fields, as docs/reference/api.md has them.
var promised = map[string]any{
	"clientIDKey":             "client_id",
	"clientSecretKey":         "client_secret",
	"resyncInterval":          10 * time.Minute,
	"rateLimit":               v1alpha1.RateLimit{RequestsPerSecond: 5, Burst: 10},
	"maxSubscriptions":        int32(5),
	"subscriptionID":          "finance.reports",
	"connectionRef.namespace": "finance",
	"filter":                  ".*",
	"adoptionPolicy":          v1alpha1.AdoptIfIdentical,
	"deletionPolicy":          v1alpha1.DeletionDelete,
}

func TestEffectiveValues(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		conn   v1alpha1.ConcurConnectionSpec
		sub    v1alpha1.EventSubscriptionSpec
		differ map[string]any
	}{
		"Absent": {
			reason: "the schema has no defaults, so the code has to keep the promise",
		},
		"HalfARateLimit": {
			reason: "who sets one number must not get zero for the other",
			conn:   v1alpha1.ConcurConnectionSpec{RateLimit: v1alpha1.RateLimit{Burst: 50}},
			differ: map[string]any{"rateLimit": v1alpha1.RateLimit{RequestsPerSecond: 5, Burst: 50}},
		},
		"OneKey": {
			reason: "who names one key keeps the other",
			conn: v1alpha1.ConcurConnectionSpec{
				CredentialsSecretRef: v1alpha1.ClientCredentialsRef{Name: "acme", ClientSecretKey: "password"},
			},
			differ: map[string]any{"clientSecretKey": "password"},
		},
		"Written": {
			reason: "what the user wrote is in force",
			conn:   v1alpha1.ConcurConnectionSpec{ResyncInterval: &metav1.Duration{Duration: time.Hour}, MaxSubscriptions: 9},
			sub: v1alpha1.EventSubscriptionSpec{
				SubscriptionID: "acme.reports", Filter: "reportCreated",
				ConnectionRef:  v1alpha1.ConnectionRef{Name: "acme", Namespace: "shared"},
				AdoptionPolicy: v1alpha1.AdoptNever, DeletionPolicy: v1alpha1.DeletionRetain,
			},
			differ: map[string]any{
				"resyncInterval": time.Hour, "maxSubscriptions": int32(9), "subscriptionID": "acme.reports",
				"filter": "reportCreated", "connectionRef.namespace": "shared",
				"adoptionPolicy": v1alpha1.AdoptNever, "deletionPolicy": v1alpha1.DeletionRetain,
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := maps.Clone(promised)
			maps.Copy(want, tt.differ)
			if diff := cmp.Diff(want, effective(tt.conn, tt.sub)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}
