package eventsubscription

import (
	"context"
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/index"
	"github.com/ess-operator/ess-operator/internal/session"
)

// behind is a client whose cache does not see in time what was written.
type behind struct{ client.Client }

var errBehind = fmt.Errorf("failed to wait for cache to catch up: %w", context.DeadlineExceeded)

func (behind) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return errBehind
}

func (behind) List(context.Context, client.ObjectList, ...client.ListOption) error { return errBehind }

func TestACacheThatIsBehindIsNoFaultOfTheObject(t *testing.T) {
	t.Parallel()
	r := &Reconciler{cfg: Config{Client: behind{}}}
	sub := &v1alpha1.EventSubscription{}
	sub.Namespace = "travel"
	selected := &v1alpha1.ConcurConnection{}
	selected.Spec.AllowedNamespaces = &v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesFromSelector}
	for name, lookup := range map[string]func() error{
		"its connection": func() error { _, err := r.connection(t.Context(), types.NamespacedName{Name: "acme"}); return err },
		"its namespace":  func() error { return r.consent(t.Context(), sub, selected) },
		"its rivals":     func() error { return r.yield(t.Context(), sub, index.Application{}) },
		"its heir":       func() error { _, err := r.heir(t.Context(), sub); return err },
		"who is ahead":   func() error { _, err := r.ahead(t.Context(), sub, session.Snapshot{}); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := lookup(); !ofAPIServer(err) {
				t.Errorf("error = %v, which would be told as a failure of the object", err)
			}
		})
	}
}
