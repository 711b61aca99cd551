package operator_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/onsi/gomega"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// gate holds back writes of the manager under test in a namespace, as an admission webhook that hangs would.
type gate struct {
	mu   sync.Mutex
	shut map[string]chan struct{} // by namespace
	held map[string]int           // so many writes
}

// wrap puts the gate before a transport.
func (g *gate) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		if opened := g.of(r); opened != nil {
			select {
			case <-opened:
			case <-r.Context().Done():
			}
		}
		return next.RoundTrip(r)
	})
}

// of is what a request has to wait for; nil for nothing.
func (g *gate) of(r *http.Request) <-chan struct{} {
	_, rest, ours := strings.Cut(r.URL.Path, "/apis/concur.ess-operator.io/v1alpha1/namespaces/")
	if !ours || r.Method != http.MethodPatch {
		return nil
	}
	namespace, _, _ := strings.Cut(rest, "/")
	g.mu.Lock()
	defer g.mu.Unlock()
	opened := g.shut[namespace]
	if opened != nil {
		g.held[namespace]++
	}
	return opened
}

// close holds back all writes in a namespace until open is called.
func (g *gate) close(namespace string) (open func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut == nil {
		g.shut, g.held = map[string]chan struct{}{}, map[string]int{}
	}
	opened := make(chan struct{})
	g.shut[namespace] = opened
	return sync.OnceFunc(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.shut, namespace)
		close(opened)
	})
}

// holds is how many writes in a namespace were held back so far.
func (g *gate) holds(namespace string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.held[namespace]
}

// roundTrip is a transport that is a function.
type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestASlowWriteDelaysNobodyElsesNews lets the API server hang on one write. What happens elsewhere is told all the same.
func TestASlowWriteDelaysNobodyElsesNews(t *testing.T) {
	t.Parallel()
	slow, w := newWorld(t), newWorld(t)
	slow.connect()
	conn := w.connect()
	sub := w.subscribe("reports")

	open := suite.gate.close(slow.namespace)
	defer open()
	slow.create(slow.subscription("reports"))
	w.Eventually(func() int { return suite.gate.holds(slow.namespace) }).Should(gomega.BeNumerically(">", 0))

	w.change(conn, func() { conn.Spec.Suspend = true })
	w.eventuallyReady(conn, "False", v1alpha1.SuspendedReason)
	w.eventuallyReady(sub, "False", v1alpha1.ConnectionNotReadyReason)

	open()
	w.change(conn, func() { conn.Spec.Suspend = false })
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
}
