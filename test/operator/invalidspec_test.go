package operator_test

import (
	"strings"
	"testing"

	"github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// TestSpecsThatTheSchemaCannotRefuse is about addresses that look like some and are none.
func TestSpecsThatTheSchemaCannotRefuse(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		object func(*world) client.Object
		says   string
	}{
		"BaseURL": {
			"a port is a number",
			func(w *world) client.Object {
				return w.connection(func(c *v1alpha1.ConcurConnection) { c.Spec.BaseURL = "https://localhost:https" })
			},
			"not a URL",
		},
		"SinkURI": {
			"no port is that high",
			func(w *world) client.Object {
				return w.subscription("reports", func(s *v1alpha1.EventSubscription) {
					s.Spec.Endpoint = v1alpha1.Endpoint{Receiver: &v1alpha1.ReceiverEndpoint{}}
					s.Spec.Sink.URI = "http://expense-bot.finance.svc:99999"
				})
			},
			"spec.sink cannot be used",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.create(w.secret(appSecret))
			o := tc.object(w)
			w.create(o)
			ready := w.eventuallyReady(o, "False", v1alpha1.InvalidSpecReason)
			if !strings.Contains(ready.Message, tc.says) || condition(o, v1alpha1.StalledCondition) == nil {
				t.Errorf("%s, but the object is not stalled or does not say %q:%s", tc.reason, tc.says, explain(o))
			}
			w.Expect(w.ess.Requests()).To(gomega.BeEmpty())
		})
	}
}
