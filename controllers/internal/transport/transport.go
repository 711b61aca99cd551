// Package transport shares HTTP transports to SAP Concur among objects that trust the same roots.
package transport

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

// Pool gives one transport to all who trust the same roots.
// A thousand applications in one data center then share a few TLS connections,
// where each of its own would cost 100 KiB. Nothing of an application is in a
// transport: calls carry their token, and wait for their budget, before it.
//
// A transport that no client holds any more is forgotten.
type Pool struct {
	mu       sync.Mutex
	byBundle map[bundleID]weak.Pointer[http.Transport]
}

// bundleID tells bundles apart without keeping them.
type bundleID [sha256.Size]byte

// NewPool returns an empty pool.
func NewPool() *Pool {
	return &Pool{byBundle: map[bundleID]weak.Pointer[http.Transport]{}}
}

// Trusting returns the transport of those who trust the system's roots and
// those in bundle, which is PEM and may be empty.
func (p *Pool) Trusting(bundle []byte) (*http.Transport, error) {
	id := bundleID(sha256.Sum256(bundle))
	p.mu.Lock()
	defer p.mu.Unlock()
	if shared := p.byBundle[id].Value(); shared != nil {
		return shared, nil
	}
	roots, err := roots(bundle)
	if err != nil {
		return nil, err
	}
	shared := ess.NewTransport(roots)
	p.byBundle[id] = weak.Make(shared)
	runtime.AddCleanup(shared, p.forget, id)
	return shared, nil
}

// forget drops the entry of a transport that is gone, unless another one took its place.
func (p *Pool) forget(id bundleID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byBundle[id].Value() == nil {
		delete(p.byBundle, id)
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
			"caBundle holds no PEM certificate: it must be the base64 of one or more \"BEGIN CERTIFICATE\" blocks")
	}
	return pool, nil
}
