package session

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/types"
)

// TestRemovedNamesWhoMayWait removes a subscription through one of several connections.
func TestRemovedNamesWhoMayWait(t *testing.T) {
	t.Parallel()
	r, limit := NewRegistry(time.Now), Limit{PerSecond: 1, Burst: 1}
	stranger, unopened := types.NamespacedName{Namespace: "sales", Name: "c"}, types.NamespacedName{Namespace: "sales", Name: "d"}
	for connection, id := range map[types.NamespacedName]string{connA: appA, connB: appA, stranger: appB, unopened: appA} {
		r.Govern(connection, Application{BaseURL: baseURL, ClientID: id}, limit)
		if connection != unopened {
			r.Open(connection)
		}
	}
	order := cmpopts.SortSlices(func(a, b types.NamespacedName) bool { return a.String() < b.String() })
	if diff := cmp.Diff([]types.NamespacedName{connA, connB}, r.Removed(connA, "reports"), order); diff != "" {
		t.Errorf("connections of the application (-want +got):\n%s", diff)
	}
	if got := r.Removed(types.NamespacedName{Namespace: "sales", Name: "nobody"}, "reports"); len(got) > 0 {
		t.Errorf("a connection that was never set up shares an application with %v", got)
	}
}
