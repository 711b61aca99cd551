package eventsubscription

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/session"
)

// TestWhatCouldNotBeWrittenIsNotClaimed lets the API server give no answer to the status that comes before a PUT.
// Whoever took it for written would write the rest of status without it, such as observedGeneration.
func TestWhatCouldNotBeWrittenIsNotClaimed(t *testing.T) {
	t.Parallel()
	unanswered := interceptor.NewClient(nil, interceptor.Funcs{
		SubResourcePatch: func(context.Context, client.Client, string, client.Object, client.Patch, ...client.SubResourcePatchOption) error {
			return context.DeadlineExceeded
		},
	})
	r := New(Config{Client: unanswered, Clock: clock.RealClock{}})
	s := session.NewRegistry(time.Now).Open(types.NamespacedName{Namespace: "finance", Name: "acme"})
	for name, did := range map[string]action{"Claim": create, "Loss": recreate} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sub := &v1alpha1.EventSubscription{}
			sub.Generation, sub.Status.ObservedGeneration = 1, -1
			out := r.announcePut(t.Context(), sub, s, ess.Subscription{ID: "acme.reports"}, outcome{did: did, seen: &observation{}})
			if !errors.Is(out.err, errNotWritten) || !errors.Is(out.err, context.DeadlineExceeded) {
				t.Errorf("the failure is %v", out.err)
			}
			if out.claimed != nil {
				t.Errorf("%+v is taken for written", *out.claimed)
			}
		})
	}
}

func TestTroubleOfTheAPIServerIsNotTheObjects(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		err    error
		want   bool
	}{
		"None":       {"nothing is wrong", nil, false},
		"Refused":    {"it says that it is the API server's", fmt.Errorf("listing: %w", apierrors.NewServiceUnavailable("soon")), true},
		"NoAnswer":   {"of a status that may not be there, nothing more can be written", notWritten("claiming", context.DeadlineExceeded), true},
		"ESSTooSlow": {"people want to know that Concur does not answer", &ess.Error{Kind: ess.ErrTimeout}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := ofAPIServer(tc.err); got != tc.want {
				t.Errorf("got %t: %s", got, tc.reason)
			}
		})
	}
}
