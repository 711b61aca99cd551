package jitter

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"

	"k8s.io/client-go/rest"
)

// errRoots: what the API server's certificate is checked with is no PEM.
var errRoots = errors.New("reading the roots of the API server: there is no certificate")

// InFront serves on loopback, for programs of their own, what config reaches, late. It returns where that is and
// whom to trust there; the caller has to bring a token, for no other credentials get through. Without
// jitter it is the API server itself. The caller has to call stop.
func (j *Jitter) InFront(config *rest.Config) (host string, authority []byte, stop func(), err error) {
	if j == nil {
		return config.Host, config.CAData, func() {}, nil
	}
	target, err := url.Parse(config.Host)
	if err != nil {
		return "", nil, nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(config.CAData) {
		return "", nil, nil, errRoots
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
	server := httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     j.Wrap(transport),
		FlushInterval: -1, // a watch is passed on as it comes
	})
	server.EnableHTTP2 = true
	server.StartTLS()
	stop = func() {
		server.CloseClientConnections()
		server.Close()
		transport.CloseIdleConnections()
	}
	return server.URL, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), stop, nil
}
