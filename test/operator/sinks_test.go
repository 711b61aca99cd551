package operator_test

import (
	"os"
	"strings"
	"testing"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// toReceiver makes a subscription use the companion receiver.
func toReceiver(s *v1alpha1.EventSubscription) {
	s.Spec.Endpoint = v1alpha1.Endpoint{Receiver: &v1alpha1.ReceiverEndpoint{}}
}

// toService makes it deliver to a Service as well.
func toService(s *v1alpha1.EventSubscription) {
	toReceiver(s)
	s.Spec.Sink = v1alpha1.Sink{Ref: v1alpha1.SinkRef{APIVersion: "v1", Kind: "Service", Name: "bot"}}
}

// route is what the receiver would be told about a subscription; nil when it has no route.
func (w *world) route(name string) map[string]any {
	var secret corev1.Secret
	w.Expect(suite.client.Get(w.t.Context(), routesSecret, &secret)).To(gomega.Succeed())
	var file struct {
		Subscriptions []map[string]any `json:"subscriptions"`
	}
	w.Expect(yaml.Unmarshal(secret.Data["routes.yaml"], &file)).To(gomega.Succeed())
	for _, r := range file.Subscriptions {
		if r["namespace"] == w.namespace && r["name"] == name {
			delete(r, "namespace")
			delete(r, "name")
			return r
		}
	}
	return nil
}

func TestRoutesFollowObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slowToDelete)
	w.connect()
	sub := w.subscribe("reports", toService)
	uri := "http://bot." + w.namespace + ".svc"
	w.Expect(sub.Status.SinkURI).To(gomega.Equal(uri))
	want := map[string]any{"subscriptionID": w.namespace + ".reports", "source": w.server.URL, "sink": map[string]any{"uri": uri}}
	w.Eventually(w.route).WithArguments("reports").Should(gomega.Equal(want))

	w.change(sub, func() {
		sub.Spec.Sink.Port, sub.Spec.Sink.Path = 8080, "/in"
		sub.Spec.Delivery.Ordering = v1alpha1.OrderingPerKey
		sub.Spec.Suspend = true
	})
	want["sink"], want["delivery"] = map[string]any{"uri": uri + ":8080/in"}, map[string]any{"ordering": "PerKey"}
	w.Eventually(w.route).WithArguments("reports").Should(gomega.Equal(want), "a suspended object changes nothing at ESS, and events come all the same")
	w.Eventually(func() string { return w.read(sub).Status.SinkURI }).Should(gomega.Equal(uri + ":8080/in"))

	w.change(sub, func() { sub.Spec.Sink, sub.Spec.Delivery = v1alpha1.Sink{}, v1alpha1.Delivery{} })
	delete(want, "sink")
	delete(want, "delivery")
	w.Eventually(w.route).WithArguments("reports").Should(gomega.Equal(want))
	w.Eventually(func() string { return w.read(sub).Status.SinkURI }).Should(gomega.BeEmpty())
	w.Expect(w.calls(essemulator.OpPut)).To(gomega.HaveLen(1), "where events go is not ESS's business")

	w.deleteAtESS(sub)
	w.Eventually(w.route).WithArguments("reports").Should(gomega.BeNil())
}

func TestSinkInAnotherNamespace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect()
	sub := w.subscription("reports", toService, func(s *v1alpha1.EventSubscription) { s.Spec.Sink.Ref.Namespace = "kube-system" })
	w.create(sub)
	ready := w.eventuallyReady(sub, "False", v1alpha1.SinkNotAllowedReason)
	if condition(sub, v1alpha1.StalledCondition) == nil || !strings.Contains(ready.Message, "--cross-namespace-sinks") {
		t.Errorf("not stalled, or no advice: %s", explain(sub))
	}
	w.Expect(w.calls(essemulator.OpPut)).To(gomega.BeEmpty())
	w.Eventually(w.route).WithArguments("reports").Should(gomega.HaveKeyWithValue("awaitSink", true))
	w.change(sub, func() { sub.Spec.Sink.Ref.Namespace = "" })
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
	w.Eventually(w.route).WithArguments("reports").Should(gomega.HaveKey("sink"))
}

func TestCABundleOfASinkIsChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect()
	sub := w.subscription("reports", toReceiver, func(s *v1alpha1.EventSubscription) {
		s.Spec.Sink = v1alpha1.Sink{URI: "https://bot.example.com", CABundle: []byte("not PEM")}
	})
	w.create(sub)
	w.eventuallyReady(sub, "False", v1alpha1.CABundleInvalidReason)
	w.Eventually(w.route).WithArguments("reports").Should(gomega.HaveKeyWithValue("awaitSink", true), "the receiver would refuse the file of all")
}

// TestAddressable follows an object through all that can keep a Knative Addressable from having an address.
func TestAddressable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect()
	toBell := func(s *v1alpha1.EventSubscription) {
		s.Spec.Sink = v1alpha1.Sink{Ref: v1alpha1.SinkRef{APIVersion: "bells.example.com/v1", Kind: "Bell", Name: "door"}}
	}
	sub := w.subscription("reports", toReceiver, toBell)
	w.create(sub)
	w.eventuallyUnready(sub, "which this cluster does not have")

	w.kubectl("apply", "-f", "testdata/bells.yaml")
	w.kubectl("wait", "--for=condition=Established", "--timeout="+patience.String(), "crd/bells.bells.example.com")
	w.eventuallyUnready(sub, "the manager may not read that kind")
	w.create(&rbacv1.ClusterRole{ // as Knative Eventing has it
		ObjectMeta: metav1.ObjectMeta{Name: "addressable-resolver"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{"bells.example.com"}, Resources: []string{"bells"}, Verbs: []string{"get"}}},
	})
	w.kubectl("apply", "-f", "../../config/knative/addressable_resolver.yaml")
	w.eventuallyUnready(sub, `"door", which does not exist in namespace`)

	bell := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "bells.example.com/v1", "kind": "Bell"}}
	bell.SetNamespace(w.namespace)
	bell.SetName("door")
	w.create(bell)
	w.eventuallyUnready(sub, "which has no status.address.url")
	w.Expect(w.calls(essemulator.OpPut)).To(gomega.BeEmpty(), "no event is asked for that has nowhere to go")
	w.Eventually(w.route).WithArguments("reports").Should(gomega.HaveKeyWithValue("awaitSink", true))

	second := w.subscription("second", toReceiver, toBell)
	w.create(second)
	w.eventuallyReady(second, "False", v1alpha1.SinkNotReadyReason)
	w.change(bell, func() { setAddress(bell, "http://door.example.com/") })
	w.eventuallyReady(second, "True", v1alpha1.SubscribedReason) // by itself
	w.delete(second)
	w.request(sub, "now") // it has waited for so long that its own next attempt is far away
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
	w.Expect(sub.Status.SinkURI).To(gomega.Equal("http://door.example.com/"))
	w.Eventually(w.route).WithArguments("reports").Should(gomega.HaveKeyWithValue("sink", map[string]any{"uri": "http://door.example.com/"}))
	w.loseAddress(sub, bell)
}

// loseAddress goes on when all was well.
func (w *world) loseAddress(sub *v1alpha1.EventSubscription, bell *unstructured.Unstructured) {
	w.t.Helper()
	w.delete(bell)
	w.request(sub, "gone")
	w.eventuallyUnready(sub, "does not exist")
	w.Expect(sub.Status.SinkURI).To(gomega.Equal("http://door.example.com/"), "the last known address serves on")
	w.Expect(w.ess.Subscriptions(appID)).To(gomega.HaveLen(1), "what is at ESS stays")

	w.change(sub, func() { sub.Spec.Filter = "reportCreated" })
	w.Eventually(func() string { return w.read(sub).Status.SinkURI }).Should(gomega.BeEmpty(), "of the new spec no address is known")
	w.Eventually(w.route).WithArguments("reports").Should(gomega.HaveKeyWithValue("awaitSink", true))
	w.Expect(w.calls(essemulator.OpPut)).To(gomega.ConsistOf("PUT reports 200", "PUT second 200"), "one each")

	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
	w.delete(namespace)
	w.Expect(w.ess.Subscriptions(appID)).To(gomega.BeEmpty(), "a sink that is missing holds up no deletion")
	w.Eventually(w.route).WithArguments("reports").Should(gomega.BeNil())
}

// eventuallyUnready waits until the sink is not ready, and the message says why. It asks for
// reconciles, because the operator's own next attempt may be seconds away.
func (w *world) eventuallyUnready(sub *v1alpha1.EventSubscription, says string) {
	w.t.Helper()
	w.Eventually(func() string {
		w.read(sub)
		w.change(sub, func() {
			metav1.SetMetaDataAnnotation(&sub.ObjectMeta, v1alpha1.ReconcileRequestedAtAnnotation, sub.ResourceVersion)
		})
		ready := condition(w.read(sub), v1alpha1.ReadyCondition)
		if ready == nil || ready.Reason != v1alpha1.SinkNotReadyReason {
			return ""
		}
		return ready.Message
	}).WithPolling(10 * glance).Should(gomega.ContainSubstring(says))
}

func setAddress(o *unstructured.Unstructured, url string) {
	_ = unstructured.SetNestedField(o.Object, url, "status", "address", "url")
}

func (w *world) kubectl(args ...string) string {
	w.t.Helper()
	out, err := suite.plane.Kubectl(w.t.Context(), args...)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	return string(out)
}

func TestTheBindingForKnativeIsAComponent(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../config/knative/kustomization.yaml")
	if err != nil || !strings.Contains(string(text), "addressable_resolver.yaml") {
		t.Errorf("the file that the tests apply is not part of the component: %v", err)
	}
}
