package record_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/controllers/internal/record"
)

// namespaces are those of a cache, and whether they are going away.
type namespaces map[string]bool

// Get implements client.Reader.
func (n namespaces) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	going, ok := n[key.Name]
	if !ok {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, key.Name)
	}
	if going {
		into.SetDeletionTimestamp(new(metav1.Now()))
	}
	return nil
}

// List implements client.Reader.
func (namespaces) List(context.Context, client.ObjectList, ...client.ListOption) error { return nil }

func TestNothingIsRecordedInANamespaceThatIsGoing(t *testing.T) {
	t.Parallel()
	cache := namespaces{"finance": false, "travel": true}
	tests := map[string]struct {
		reason     string
		namespaces client.Reader
		namespace  string
		want       []string
	}{
		"Staying":  {"people look there", cache, "finance", []string{"Normal Deleted it is gone"}},
		"Going":    {"the API server refuses to store anything there", cache, "travel", nil},
		"Unknown":  {"the cache may be behind, so that the API server decides", cache, "new", []string{"Normal Deleted it is gone"}},
		"Unlooked": {"a manager that watches some namespaces may not look", nil, "travel", []string{"Normal Deleted it is gone"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recorder := events.NewFakeRecorder(1)
			about := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: tc.namespace, Name: "routes"}}
			record.New(recorder, tc.namespaces).Record(t.Context(), about,
				record.Event{Type: corev1.EventTypeNormal, Reason: "Deleted", Action: "Delete", Note: "it is gone"})
			var got []string
			for len(recorder.Events) > 0 {
				got = append(got, <-recorder.Events)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: events (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
