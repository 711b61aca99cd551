package record_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"

	"github.com/ess-operator/ess-operator/controllers/internal/record"
)

func TestTroubleIsToldOnce(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason  string
		reasons []string // told one after the other; empty: nothing is wrong
		want    []string
	}{
		"Lasting":   {"the Secret is read again every few seconds", []string{"Missing", "Missing", "Missing"}, []string{"Missing"}},
		"Another":   {"a new kind of trouble asks for something else", []string{"Missing", "Forbidden", "Forbidden"}, []string{"Missing", "Forbidden"}},
		"Back":      {"what was told last is what people go by", []string{"Missing", "Forbidden", "Missing"}, []string{"Missing", "Forbidden", "Missing"}},
		"Mended":    {"the same trouble after a good time is news", []string{"Missing", "", "Missing"}, []string{"Missing", "Missing"}},
		"AllIsWell": {"nobody has to know", []string{"", ""}, []string{}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recorder := events.NewFakeRecorder(8)
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "system", Name: "routes"}}
			trouble := record.NewTrouble(record.New(recorder, nil), secret, "Route")
			for _, reason := range tc.reasons {
				if reason == "" {
					trouble.Over()
				} else {
					trouble.Tell(t.Context(), reason, "the Secret cannot be used")
				}
			}
			got := []string{}
			for len(recorder.Events) > 0 {
				got = append(got, <-recorder.Events)
			}
			want := []string{}
			for _, reason := range tc.want {
				want = append(want, "Warning "+reason+" the Secret cannot be used")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: events (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
