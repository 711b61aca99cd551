package privileges_test

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// work has the manager do all that it does for users in a namespace, with a
// connection that it has there already.
func (w *world) work(conn *v1alpha1.ConcurConnection, secret *corev1.Secret) {
	w.t.Helper()
	w.rotate(conn, secret)
	w.ess.PutSubscription(essemulator.Subscription{ID: "finance.adopted", ApplicationID: appID, Topic: topic, Filter: ".*", Endpoint: endpoint})
	w.subscribe(finance, "adopted")
	sub := w.subscribe(finance, "reports", to("v1", "Service", "bot"))
	w.change(sub, func() { sub.Spec.Filter = "reportCreated" })
	w.eventuallyReady(sub, metav1.ConditionTrue, v1alpha1.SubscribedReason)
	w.Eventually(w.routes).Should(gomega.ContainSubstring("http://bot.finance.svc"))
	w.loseRoutes(sub)
	w.callouts()
	w.delete(sub)
	w.Eventually(w.routes).ShouldNot(gomega.ContainSubstring("http://bot.finance.svc"))
}

// rotate breaks the credentials and mends them.
func (w *world) rotate(conn *v1alpha1.ConcurConnection, secret *corev1.Secret) {
	w.t.Helper()
	w.change(secret, func() { secret.StringData = map[string]string{"client_secret": "wrong"} })
	w.eventuallyReady(conn, metav1.ConditionFalse, v1alpha1.CredentialsRejectedReason)
	w.change(secret, func() { secret.StringData = map[string]string{"client_secret": appSecret} })
	w.eventuallyReady(conn, metav1.ConditionTrue, v1alpha1.ConnectedReason)
}

// loseRoutes takes the Secret of the routes away twice. The manager misses it, writes the routes
// again when it is back, and says the second time that the same happened again.
func (w *world) loseRoutes(sub *v1alpha1.EventSubscription) {
	w.t.Helper()
	before := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: systemNamespace, Name: "ess-operator-receiver-routes"}}
	w.Expect(w.read(before)).To(gomega.Succeed())
	for n := range 2 {
		w.delete(before)
		w.change(sub, func() { sub.Spec.Sink.Path = fmt.Sprintf("/missing-%d", n) }) // so that the routes are looked at
		w.eventuallySaid("RoutesSecretMissing", n+1)
		w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: before.Namespace, Name: before.Name, Labels: before.Labels}})
		w.change(sub, func() { sub.Spec.Sink.Path = fmt.Sprintf("/found-%d", n) })
		w.Eventually(w.routes).Should(gomega.ContainSubstring(sub.Spec.Sink.Path))
	}
}

// eventuallySaid waits for an event in the manager's namespace that was said so often, which is once or twice.
func (w *world) eventuallySaid(reason string, times int) {
	w.t.Helper()
	w.Eventually(func() bool {
		var list eventsv1.EventList
		w.Expect(w.client.List(w.t.Context(), &list, client.InNamespace(systemNamespace))).To(gomega.Succeed())
		return slices.ContainsFunc(list.Items, func(e eventsv1.Event) bool {
			return e.Reason == reason && (times == 1 || e.Series != nil)
		})
	}).Should(gomega.BeTrue(), "no event %s %d times", reason, times)
}

// callouts has the manager take care of a connector.
func (w *world) callouts() {
	w.t.Helper()
	login := w.secret(finance, "callouts", map[string]string{"username": "concur-reports", "password": "password-1"})
	w.secret(finance, "administrator", map[string]string{"token": userToken})
	connector := &v1alpha1.ApplicationConnector{
		ObjectMeta: metav1.ObjectMeta{Namespace: finance, Name: "callouts"},
		Spec: v1alpha1.ApplicationConnectorSpec{
			CredentialsSecretRef: v1alpha1.BasicCredentialsRef{Name: "callouts"},
			Recovery:             v1alpha1.Recovery{BaseURL: w.server.URL, CABundle: w.caBundle(), TokenSecretRef: v1alpha1.TokenRef{Name: "administrator"}},
		},
	}
	w.create(connector)
	w.eventuallyReady(connector, metav1.ConditionTrue, v1alpha1.RoutedReason)
	w.Eventually(func() bool {
		w.Expect(w.read(connector)).To(gomega.Succeed())
		return connector.Status.Recovery != nil && connector.Status.Recovery.LastRunTime != nil
	}).Should(gomega.BeTrue(), func() string { return explain(connector) })
	w.change(login, func() { login.StringData = map[string]string{"password": "password-2"} })
	w.Eventually(w.routes).Should(gomega.ContainSubstring("password-2"))
	w.delete(connector)
}

// routes is what the manager wrote for the receiver.
func (c *cluster) routes() string { return c.kept("ess-operator-receiver-routes", "routes.yaml") }

// adminToken is what the manager made up for the receiver's admin port.
func (c *cluster) adminToken() string { return c.kept("ess-operator-receiver-admin", "token") }

// kept is what one of the manager's Secrets holds under a key.
func (c *cluster) kept(name, key string) string {
	c.t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: systemNamespace, Name: name}}
	c.Expect(c.read(secret)).To(gomega.Succeed())
	return string(secret.Data[key])
}

// addressable has the manager ask a Knative Addressable for its address.
func (w *world) addressable() {
	w.t.Helper()
	bell := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "bells.example.com/v1", "kind": "Bell",
		"metadata": map[string]any{"namespace": finance, "name": "door"},
		"status":   map[string]any{"address": map[string]any{"url": "http://door.example.com/"}},
	}}
	w.create(bell)
	sub := w.subscribe(finance, "bell", to("bells.example.com/v1", "Bell", "door"))
	w.Expect(sub.Status.SinkURI).To(gomega.Equal("http://door.example.com/"))
	w.delete(sub)
}

// scraped has the manager tell its metrics, to those who may know them.
func (w *world) scraped(m *manager) {
	w.t.Helper()
	w.kubectl("create", "serviceaccount", "prometheus", "-n", "default")
	w.kubectl("create", "clusterrolebinding", "prometheus", "--clusterrole=ess-operator-metrics-reader", "--serviceaccount=default:prometheus")
	reader, other := w.token("default", "prometheus"), w.token("default", "default")
	w.Eventually(m.scrape).WithArguments(reader).Should(gomega.Equal(http.StatusOK))
	if status := m.scrape(other); status != http.StatusForbidden {
		w.t.Errorf("whoever may not read the metrics is answered %d, want 403", status)
	}
	if status := m.scrape(""); status != http.StatusUnauthorized {
		w.t.Errorf("whoever shows no token is answered %d, want 401", status)
	}
}

// leave deletes all that is left: a namespace with what is in it, then the connection, which waits for
// the last subscription.
func (w *world) leave(conn *v1alpha1.ConcurConnection) {
	w.t.Helper()
	w.delete(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: travel}})
	w.Expect(w.client.Delete(w.t.Context(), conn)).To(gomega.Succeed())
	w.eventuallyReady(conn, metav1.ConditionFalse, v1alpha1.InUseReason)
	w.delete(&v1alpha1.EventSubscription{ObjectMeta: metav1.ObjectMeta{Namespace: finance, Name: "adopted"}})
	w.eventuallyGone(conn)
	w.Expect(w.ess.Subscriptions(appID)).To(gomega.BeEmpty())
}
