package intake

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/netutil"
)

// Identity is what the port shows and asks for in a TLS handshake.
type Identity struct {
	// Certificates with their keys; the first that suits the client is shown. At least one.
	Certificates []tls.Certificate
	// ClientCAs are named to the client as those whose certificates are believed; nil: none are named, so that a
	// client shows what it has. Naming them verifies nothing, that is for the Prover.
	ClientCAs *x509.CertPool
}

// ServerConfig is what a Server needs. Handler must be given.
type ServerConfig struct {
	Handler http.Handler
	// Identity is asked for each new connection, so a renewed certificate takes effect with the next one, and no
	// connection is dropped. An Identity that was returned must not change. Nil: plain HTTP, behind a proxy.
	Identity func() *Identity
	// MaxConnections: beyond, the connection that has been idle for longest is closed; zero: 4,096.
	MaxConnections int
	Registerer     prometheus.Registerer
	Logger         *slog.Logger
	timeouts       timeouts // for tests
}

// timeouts has the package's limits as defaults.
type timeouts struct{ header, read, write, idle, ping time.Duration }

// Server is the events port.
type Server struct {
	http *http.Server
	tls  bool
	gate *gate
}

// NewServer returns a Server; Serve starts it. It panics when the registerer has the metrics of another one already.
func NewServer(c ServerConfig) *Server {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	g := newGate(orDefault(c.MaxConnections, defaultMaxConnections), c.Registerer)
	s := &Server{gate: g, tls: c.Identity != nil, http: &http.Server{
		Handler:           c.Handler,
		ReadHeaderTimeout: orDefault(c.timeouts.header, headerTimeout),
		ReadTimeout:       orDefault(c.timeouts.read, readTimeout),
		WriteTimeout:      orDefault(c.timeouts.write, writeTimeout),
		IdleTimeout:       orDefault(c.timeouts.idle, idleTimeout),
		MaxHeaderBytes:    maxHeaderBytes,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: maxStreams,
			SendPingTimeout:      orDefault(c.timeouts.ping, pingAfter),
			PingTimeout:          orDefault(c.timeouts.ping, pingTimeout),
			WriteByteTimeout:     orDefault(c.timeouts.write, writeTimeout),
		},
		ConnState: g.track,
		// Strangers cause these: handshakes that break off, and requests that are no HTTP.
		ErrorLog:  slog.NewLogLogger(c.Logger.Handler(), slog.LevelDebug),
		Protocols: new(http.Protocols),
	}}
	s.http.Protocols.SetHTTP1(true)
	s.http.Protocols.SetHTTP2(s.tls)
	s.http.Protocols.SetUnencryptedHTTP2(!s.tls) // as proxies speak it to their backends
	if s.tls {
		s.http.TLSConfig = newTLS(c.Identity)
	}
	return s
}

// Serve takes connections from l until Shutdown or Close, and then returns nil.
func (s *Server) Serve(l net.Listener) error {
	// The gate makes room at its limit; the listener stops at twice that, should nobody be idle.
	l = netutil.LimitListener(l, 2*s.gate.limit)
	serve := s.http.Serve
	if s.tls {
		serve = func(l net.Listener) error { return s.http.ServeTLS(tlsListener{l}, "", "") }
	}
	if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving events: %w", err)
	}
	return nil
}

// Shutdown takes no more connections, and returns when the requests in progress have been answered or ctx ends.
func (s *Server) Shutdown(ctx context.Context) error { return s.http.Shutdown(ctx) }

// Close ends all connections at once.
func (s *Server) Close() error { return s.http.Close() }

// newTLS returns a configuration that follows what identity returns. Session tickets are sealed by keys of this one
// configuration, so they outlive a renewed certificate.
func newTLS(identity func() *Identity) *tls.Config {
	type made struct {
		of *Identity
		is *tls.Config
	}
	var last atomic.Pointer[made]
	base := baseTLS()
	base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		now := identity()
		if now == nil || len(now.Certificates) == 0 {
			return nil, errors.New("there is no server certificate")
		}
		if m := last.Load(); m != nil && m.of == now {
			return m.is, nil
		}
		m := &made{of: now, is: baseTLS()}
		m.is.Certificates, m.is.ClientCAs = now.Certificates, now.ClientCAs
		last.Store(m)
		return m.is, nil
	}
	// The server wants to see that there is a way to a certificate; the configuration above is asked first.
	base.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return nil, errors.New("there is no server certificate")
	}
	return base
}

func baseTLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		// For TLS 1.2; those of TLS 1.3 are all good. SAP Concur's list for callouts (platform security) has three of
		// these, and four with CBC. Whoever offers the list offers the three, so the four are not needed; Go does not
		// have one of them, and holds another for insecure.
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		// Asked for, but not verified here: who shows none, or one that has expired, may still be proved by signature,
		// and a failed handshake would tell nobody why.
		ClientAuth: tls.RequestClientCert,
		NextProtos: []string{"h2", "http/1.1"},
	}
}
