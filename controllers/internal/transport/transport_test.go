package transport

import (
	"encoding/pem"
	"net/http/httptest"
	"runtime"
	"testing"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
)

// bundle is the PEM of a certificate.
func bundle(t *testing.T) []byte {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

func TestTransportsAreSharedByBundle(t *testing.T) {
	t.Parallel()
	all := NewPool()
	private := bundle(t)
	first, err := all.Trusting(private)
	if err != nil {
		t.Fatal(err)
	}
	again, err := all.Trusting(private)
	if err != nil {
		t.Fatal(err)
	}
	if first != again {
		t.Error("two transports for one bundle: each connection would hold TLS connections of its own")
	}
	public, err := all.Trusting(nil)
	if err != nil {
		t.Fatal(err)
	}
	if public == first || public.TLSClientConfig.RootCAs != nil {
		t.Error("a connection without caBundle trusts the roots of another one")
	}
}

func TestUnusedTransportsAreForgotten(t *testing.T) {
	t.Parallel()
	all := NewPool()
	if _, err := all.Trusting(bundle(t)); err != nil {
		t.Fatal(err)
	}
	for range 10_000 { // a cleanup runs soon after the collection that found it due; how soon, the scheduler knows
		runtime.GC()
		all.mu.Lock()
		left := len(all.byBundle)
		all.mu.Unlock()
		if left == 0 {
			return
		}
		runtime.Gosched()
	}
	t.Error("the transport of a bundle that nobody uses is still held")
}

func TestBundleWithoutCertificates(t *testing.T) {
	t.Parallel()
	_, err := NewPool().Trusting([]byte("not PEM"))
	if got := failure.Of(err).Reason; got != v1alpha1.CABundleInvalidReason {
		t.Errorf("the reason is %s: %v", got, err)
	}
}
