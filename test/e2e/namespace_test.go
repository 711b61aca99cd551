//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// teamNamespace is that of a team which leaves.
const teamNamespace = "ess-operator-e2e-team"

// deleteNamespace deletes a namespace with Secret, connection and subscription in it, in whatever order the cluster likes.
func (w *world) deleteNamespace(ctx context.Context) {
	w.moveIn(ctx)
	if held := w.held(ctx, teamNamespace); held != 1 {
		w.t.Errorf("ESS holds %d subscriptions of the team, want one", held)
	}
	w.must(w.concur.forgetCalls(ctx))
	w.kubectl(ctx, "delete", "namespace", teamNamespace, "--timeout=90s")
	w.eventually(ctx, "ESS has none of the team's", func(ctx context.Context) error {
		if held := w.held(ctx, teamNamespace); held > 0 {
			return fmt.Errorf("it has %d", held)
		}
		return nil
	})
	calls, err := w.concur.calls(ctx)
	w.must(err)
	if calls["delete"] != 1 || calls["put"] != 0 {
		w.t.Errorf("ESS was called %v, want one delete and no put", calls)
	}
	if held := w.held(ctx, trialNamespace); held != 1 {
		w.t.Errorf("ESS holds %d subscriptions of the trial, want one", held)
	}
}

// moveIn makes the team's namespace, with the credentials of the trial and a subscription that is ready.
func (w *world) moveIn(ctx context.Context) {
	w.t.Helper()
	credentials := w.secret(ctx, trialNamespace, connectionName)
	var model v1alpha1.ConcurConnection
	w.must(w.client.Get(ctx, types.NamespacedName{Namespace: trialNamespace, Name: connectionName}, &model))
	in := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: teamNamespace, Name: name} }
	w.must(w.client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: teamNamespace}}))
	w.must(w.client.Create(ctx, &corev1.Secret{ObjectMeta: in(connectionName), Data: credentials.Data}))
	w.must(w.client.Create(ctx, &v1alpha1.ConcurConnection{ObjectMeta: in(connectionName), Spec: model.Spec}))
	w.must(w.client.Create(ctx, &v1alpha1.EventSubscription{ObjectMeta: in("reports"), Spec: v1alpha1.EventSubscriptionSpec{
		ConnectionRef: v1alpha1.ConnectionRef{Name: connectionName}, Topic: topic,
		Endpoint: v1alpha1.Endpoint{Receiver: &v1alpha1.ReceiverEndpoint{}},
	}}))
	w.kubectl(ctx, "wait", "-n", teamNamespace, "--for=condition=Ready", "--timeout=60s", "eventsubscription/reports")
}

// held is how many subscriptions of a namespace ESS lists, those marked for deletion among them.
func (w *world) held(ctx context.Context, namespace string) int {
	w.t.Helper()
	var all []essemulator.Subscription
	w.must(w.concur.call(ctx, http.MethodGet, "/v1/subscriptions", "", &all))
	n := 0
	for i := range all {
		if strings.HasPrefix(all[i].ID, namespace+".") {
			n++
		}
	}
	return n
}
