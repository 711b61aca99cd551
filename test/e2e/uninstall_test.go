//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// goAndReturn takes all but the definitions away, as some tools do, and installs it again: every object stays, and ESS does not
// notice.
func (w *world) goAndReturn(ctx context.Context) {
	w.must(w.concur.forgetCalls(ctx))
	w.withoutDefinitions(ctx)
	w.stillThere(ctx)
	w.applied(ctx, overlay)
	w.rolledOut(ctx)
	w.handled(ctx)
	w.readySince(ctx)
	w.unwritten(ctx)
}

// uninstall is what docs/install.md says: the definitions first, then the rest.
func (w *world) uninstall(ctx context.Context) {
	w.must(w.concur.forgetCalls(ctx))
	args := []string{"delete", "crd", "--timeout=60s"}
	for _, kind := range kinds() {
		args = append(args, strings.ToLower(kind)+"s."+v1alpha1.GroupVersion.Group)
	}
	w.kubectl(ctx, args...)
	w.removed(ctx, overlay)
	w.unwritten(ctx)
	w.holds(ctx, trialNamespace, 1)
}

// stillThere holds the cluster to the objects of the trial, none of which may be on its way out.
func (w *world) stillThere(ctx context.Context) {
	w.t.Helper()
	var left v1alpha1.EventSubscriptionList
	w.must(w.client.List(ctx, &left))
	if len(left.Items) != 1 || !left.Items[0].DeletionTimestamp.IsZero() {
		w.t.Errorf("without the operator there are %d subscriptions, want the one, and not being deleted", len(left.Items))
	}
}

// holds waits until ESS lists so many subscriptions of a namespace.
func (w *world) holds(ctx context.Context, namespace string, n int) {
	w.t.Helper()
	w.eventually(ctx, "what ESS lists", func(ctx context.Context) error {
		if held := w.held(ctx, namespace); held != n {
			return fmt.Errorf("ESS lists %d subscriptions of %s, want %d", held, namespace, n)
		}
		return nil
	})
}

// withoutDefinitions deletes what the overlay brings, but for the definitions and for the namespace, which holds the user's
// certificate.
func (w *world) withoutDefinitions(ctx context.Context) {
	w.t.Helper()
	manifests := w.kubectl(ctx, "kustomize", overlay)
	var rest []string
	for manifest := range strings.SplitSeq("\n"+manifests, "\n---\n") {
		if !strings.Contains(manifest, "\nkind: CustomResourceDefinition\n") && !strings.Contains(manifest, "\nkind: Namespace\n") {
			rest = append(rest, manifest)
		}
	}
	_, _, err := run(ctx, strings.NewReader(strings.Join(rest, "\n---\n")), w.kubectlPath, "delete", "-f", "-", "--timeout=90s")
	w.must(err)
}
