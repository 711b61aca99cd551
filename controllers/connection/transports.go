package connection

import (
	"crypto/sha256"
	"crypto/x509"
	"net/http"
	"runtime"
	"sync"
	"weak"

	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/internal/ess"
)

// transports gives one transport to all connections that trust the same roots.
// A thousand applications in one data center then share a few TLS connections,
// where each of its own would cost 100 KiB. Nothing of an application is in a
// transport: calls carry their token, and wait for their budget, before it.
//
// A transport that no client holds any more is forgotten.
type transports struct {
	mu       sync.Mutex
	byBundle map[bundleID]weak.Pointer[http.Transport]
}

// bundleID tells bundles apart without keeping them.
type bundleID [sha256.Size]byte

func newTransports() *transports {
	return &transports{byBundle: map[bundleID]weak.Pointer[http.Transport]{}}
}

// trusting returns the transport of those who trust the system's roots and
// those in bundle, which is PEM and may be empty.
func (t *transports) trusting(bundle []byte) (*http.Transport, error) {
	id := bundleID(sha256.Sum256(bundle))
	t.mu.Lock()
	defer t.mu.Unlock()
	if shared := t.byBundle[id].Value(); shared != nil {
		return shared, nil
	}
	roots, err := roots(bundle)
	if err != nil {
		return nil, err
	}
	shared := ess.NewTransport(roots)
	t.byBundle[id] = weak.Make(shared)
	runtime.AddCleanup(shared, t.forget, id)
	return shared, nil
}

// forget drops the entry of a transport that is gone, unless another one took its place.
func (t *transports) forget(id bundleID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byBundle[id].Value() == nil {
		delete(t.byBundle, id)
	}
}

// roots are the system's roots and those in pem; nil, for the system's alone, when pem is empty.
func roots(pem []byte) (*x509.CertPool, error) {
	if len(pem) == 0 {
		return nil, nil //nolint:nilnil // crypto/tls reads a nil pool as the system's roots
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // an image without system roots still trusts the bundle
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, failure.New(failure.ErrCABundleInvalid,
			"spec.caBundle holds no PEM certificate: it must be the base64 of one or more \"BEGIN CERTIFICATE\" blocks")
	}
	return pool, nil
}
