package ess

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"time"
)

// Bounds of one transport. Each is shorter than DefaultTimeout, so that the error names the step that hung.
const (
	connectTimeout   = 5 * time.Second
	handshakeTimeout = 5 * time.Second
	headerTimeout    = 12 * time.Second
	idleTimeout      = 90 * time.Second
	maxHeaderBytes   = 64 << 10
	connsPerHost     = 128 // all applications of one data center may share a transport
	idleConnsPerHost = 16
)

// NewTransport returns the transport a [Client] uses unless told otherwise: TLS 1.2 or newer against the roots given
// (nil: those of the system), the proxy of the environment, and bounds on time, connections and header size.
//
// The hosts without "www-" may ask for a client certificate ("SAP Concur, Base URIs"). None is configured,
// so crypto/tls answers with an empty list and the handshake goes on.
func NewTransport(roots *x509.CertPool) *http.Transport {
	dialer := &net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout:    handshakeTimeout,
		ResponseHeaderTimeout:  headerTimeout,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxConnsPerHost:        connsPerHost,
		MaxIdleConnsPerHost:    idleConnsPerHost,
		MaxIdleConns:           connsPerHost,
		ForceAttemptHTTP2:      true,
		// A silent HTTP/2 connection is probed, or every later call would hang on it.
		HTTP2: &http.HTTP2Config{SendPingTimeout: connectTimeout, PingTimeout: connectTimeout},
	}
}
