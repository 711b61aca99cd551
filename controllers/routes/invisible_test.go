package routes_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/routes"
)

// What one object holds must not cost the routes of all others.
func TestCharactersThatYAMLCannotHold(t *testing.T) {
	t.Parallel()
	for _, odd := range []string{"\u0080", "\u0085", "\u2028", "\ufffe"} {
		meta := metav1.ObjectMeta{Namespace: "a", Name: "reports"}
		sub := v1alpha1.EventSubscription{ObjectMeta: meta}
		sub.Spec.Endpoint.Receiver = new(v1alpha1.ReceiverEndpoint)
		sub.Spec.ConnectionRef.Name = "reports"
		sub.Spec.Sink.URI = "http://bot.a.svc/" + odd
		conn := v1alpha1.ConcurConnection{ObjectMeta: meta}
		conn.Spec.APIURL, conn.Spec.BaseURL = "https://api.example.com/"+odd, "https://us2.api.concursolutions.com"
		rendered, err := routes.Render(routes.World{
			Subscriptions: []v1alpha1.EventSubscription{sub}, Connections: []v1alpha1.ConcurConnection{conn},
		})
		if err != nil || rendered.Count != 1 || strings.Contains(string(rendered.Text), odd) {
			t.Errorf("with %q: %v\n%s", odd, err, rendered.Text)
		}
	}
}
