package eventsubscription

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ess-operator/ess-operator/controllers/internal/failure"
)

// TestConnectionOutsideTheWatchedNamespaces makes no lookup: the cache would
// answer with an error of its own, which looks like trouble that passes.
func TestConnectionOutsideTheWatchedNamespaces(t *testing.T) {
	t.Parallel()
	r := &Reconciler{cfg: Config{Namespaces: []string{"finance"}}}
	_, err := r.connection(t.Context(), types.NamespacedName{Namespace: "sales", Name: "acme"})
	if !errors.Is(err, failure.ErrConnectionNotFound) || !strings.Contains(err.Error(), "--watch-namespaces") {
		t.Errorf("the failure is %v", err)
	}
}
