package age_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/age"
)

func TestOlder(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	at := func(namespace, name string, created time.Time) *v1alpha1.EventSubscription {
		return &v1alpha1.EventSubscription{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, CreationTimestamp: metav1.NewTime(created)}}
	}
	tests := map[string]struct {
		reason string
		a, b   *v1alpha1.EventSubscription
		want   bool
	}{
		"Older":         {"the time says it", at("z", "z", noon), at("a", "a", noon.Add(time.Second)), true},
		"Younger":       {"the time says it", at("a", "a", noon.Add(time.Second)), at("z", "z", noon), false},
		"ByNamespace":   {"the API server keeps seconds only, and both must not think to be the older", at("a", "z", noon), at("b", "a", noon), true},
		"ByName":        {"likewise", at("a", "b", noon), at("a", "a", noon), false},
		"OtherTimeZone": {"it is the same moment", at("a", "a", noon), at("b", "b", noon.In(time.FixedZone("", 3600))), true},
		"Itself":        {"nobody is older than itself", at("a", "a", noon), at("a", "a", noon), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := age.Older(tt.a, tt.b); got != tt.want {
				t.Errorf("got %t, want %t: %s", got, tt.want, tt.reason)
			}
			if age.Compare(tt.a, tt.b) != -age.Compare(tt.b, tt.a) {
				t.Error("the two do not agree who is older")
			}
		})
	}
}
