package intake

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// certificate makes one that vouches for itself.
func certificate(tb testing.TB, cn string) tls.Certificate {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: cn}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		tb.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// running is a server on a port of its own.
type running struct {
	addr     string
	server   *Server
	identity atomic.Pointer[Identity]
}

// start serves c.Handler (a Handler that takes everything, when nil) until the test ends; plain: without TLS.
func start(tb testing.TB, c ServerConfig, plain bool) *running {
	tb.Helper()
	s := &running{}
	if c.Handler == nil {
		h, _ := newHandler(tb, Config{Store: storeWith(event.Accepted, nil)})
		c.Handler = h
	}
	c.Logger = slog.New(slog.DiscardHandler)
	if !plain {
		s.identity.Store(&Identity{Certificates: []tls.Certificate{certificate(tb, "first")}})
		c.Identity = s.identity.Load
	}
	s.server = NewServer(c)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s.addr = l.Addr().String()
	done := make(chan error, 1)
	go func() { done <- s.server.Serve(l) }()
	tb.Cleanup(func() {
		_ = s.server.Close()
		if err := <-done; err != nil {
			tb.Error(err)
		}
	})
	return s
}

// client returns a client that believes any server; change may alter its TLS.
func client(tb testing.TB, h2 bool, change func(*tls.Config)) *http.Client {
	tb.Helper()
	config := &tls.Config{InsecureSkipVerify: true}
	if change != nil {
		change(config)
	}
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: h2}
	tb.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

// heard is what a client heard.
type heard struct {
	status int
	proto  string
	tls    *tls.ConnectionState
	reused bool // the connection was open already
}

// send posts an event.
func send(tb testing.TB, c *http.Client, s *running) (h heard) {
	tb.Helper()
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { h.reused = i.Reused }}
	r := post("https://"+s.addr+path, strings.NewReader(goodBody))
	answer, err := c.Do(r.WithContext(httptrace.WithClientTrace(tb.Context(), trace)))
	if err != nil {
		tb.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		tb.Fatal(err)
	}
	h.status, h.proto, h.tls = answer.StatusCode, answer.Proto, answer.TLS
	return h
}

// server returns the name in the certificate that the server showed.
func (h heard) server() string { return h.tls.PeerCertificates[0].Subject.CommonName }

func TestProtocols(t *testing.T) {
	t.Parallel()
	s := start(t, ServerConfig{}, false)
	for name, tc := range map[string]struct {
		h2     bool
		change func(*tls.Config)
		proto  string
		tls    uint16
	}{
		"HTTP2":     {h2: true, proto: "HTTP/2.0", tls: tls.VersionTLS13},
		"HTTP1":     {proto: "HTTP/1.1", tls: tls.VersionTLS13},
		"TLS12":     {change: func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, proto: "HTTP/1.1", tls: tls.VersionTLS12},
		"HTTP2TLS2": {h2: true, change: func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, proto: "HTTP/2.0", tls: tls.VersionTLS12},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := send(t, client(t, tc.h2, tc.change), s)
			if h.status != http.StatusOK || h.proto != tc.proto || h.tls.Version != tc.tls {
				t.Errorf("%d over %s, TLS %x", h.status, h.proto, h.tls.Version)
			}
		})
	}
}

func TestOldCryptographyIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t, ServerConfig{}, false)
	for name, config := range map[string]*tls.Config{
		"TLS11": {MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
		"NoForwardSecrecy": {MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{
			tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_128_CBC_SHA,
		}},
		"CBC": {MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}},
	} {
		config.InsecureSkipVerify = true
		if c, err := tls.Dial("tcp", s.addr, config); err == nil {
			_ = c.Close()
			t.Errorf("%s: connected", name)
		}
	}
}

// A resumed session brings the client certificate along; else keep-alive clients would be proved once only.
func TestResumptionKeepsClientCertificate(t *testing.T) {
	t.Parallel()
	for version, name := range map[uint16]string{tls.VersionTLS12: "TLS12", tls.VersionTLS13: "TLS13"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var shown atomic.Value
			h, _ := newHandler(t, Config{Prover: func() Prover {
				return proverFunc(func(r *http.Request, _ []byte) (string, error) {
					if len(r.TLS.PeerCertificates) == 0 {
						return "", errForged
					}
					shown.Store(r.TLS.PeerCertificates[0].Subject.CommonName)
					return "certificate", nil
				})
			}})
			s := start(t, ServerConfig{Handler: h}, false)
			c := client(t, false, func(c *tls.Config) {
				c.MaxVersion = version
				c.ClientSessionCache = tls.NewLRUClientSessionCache(1)
				c.Certificates = []tls.Certificate{certificate(t, "concur")}
			})
			for i, resumed := range []bool{false, true, true} {
				if i == 2 { // and a renewed server certificate ends no session
					s.identity.Store(&Identity{Certificates: []tls.Certificate{certificate(t, "second")}})
				}
				h := send(t, c, s)
				if h.status != http.StatusOK || h.tls.DidResume != resumed || shown.Swap("") != "concur" {
					t.Errorf("connection %d: %d, resumed %t", i, h.status, h.tls.DidResume)
				}
				c.CloseIdleConnections()
			}
		})
	}
}

func TestIdentityChangesWithoutDroppingConnections(t *testing.T) {
	t.Parallel()
	for _, h2 := range []bool{false, true} {
		s := start(t, ServerConfig{}, false)
		old, fresh := reusing(t, s, h2), client(t, h2, nil)
		old()
		s.identity.Store(&Identity{Certificates: []tls.Certificate{certificate(t, "second")}})
		if h := old(); h.status != http.StatusOK || !h.reused || h.server() != "first" {
			t.Errorf("HTTP/2 %t: open connection: %d, reused %t, certificate %s", h2, h.status, h.reused, h.server())
		}
		if h := send(t, fresh, s); h.server() != "second" {
			t.Errorf("HTTP/2 %t: new connection: certificate %s", h2, h.server())
		}
		s.identity.Store(&Identity{})
		if c, err := tls.Dial("tcp", s.addr, &tls.Config{InsecureSkipVerify: true}); err == nil {
			_ = c.Close()
			t.Error("a handshake without any certificate")
		}
	}
}

// reusing posts an event over the same connection each time. The client of net/http gives one of HTTP/1 up when its own
// writer is 50 ms late to say that a request has left, which happens on a busy machine.
func reusing(t *testing.T, s *running, h2 bool) func() heard {
	t.Helper()
	if h2 {
		c := client(t, true, nil)
		return func() heard { return send(t, c, s) }
	}
	c, err := tls.Dial("tcp", s.addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	in := bufio.NewReader(c)
	return func() heard {
		write(t, c, "%sContent-Length: 2\r\n\r\n{}", head)
		state := c.ConnectionState()
		return heard{status: status(t, in), tls: &state, reused: true}
	}
}

func TestClientIsToldTheAuthorities(t *testing.T) {
	t.Parallel()
	s := start(t, ServerConfig{}, false)
	authority := certificate(t, "authority")
	leaf, err := x509.ParseCertificate(authority.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	asked := make(chan [][]byte, 2)
	ask := func() {
		send(t, client(t, false, func(c *tls.Config) {
			c.GetClientCertificate = func(i *tls.CertificateRequestInfo) (*tls.Certificate, error) {
				asked <- i.AcceptableCAs
				return &tls.Certificate{}, nil
			}
		}), s)
	}
	ask()
	if names := <-asked; len(names) != 0 {
		t.Errorf("named %d authorities, want none", len(names))
	}
	s.identity.Store(&Identity{Certificates: s.identity.Load().Certificates, ClientCAs: pool})
	ask()
	if names := <-asked; len(names) != 1 || string(names[0]) != string(leaf.RawSubject) {
		t.Errorf("named %q", names)
	}
}

// Shutdown finishes what is in progress.
func TestShutdown(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}), make(chan struct{})
	h, _ := newHandler(t, Config{Store: storeFunc(func(context.Context, event.Entry) (event.Outcome, error) {
		close(entered)
		<-release
		return event.Accepted, nil
	})})
	s := start(t, ServerConfig{Handler: h}, false)
	answered := make(chan int, 1)
	go func() {
		answer, err := client(t, false, nil).Do(post("https://"+s.addr+path, strings.NewReader(goodBody)))
		if err != nil {
			answered <- 0
			return
		}
		answer.Body.Close()
		answered <- answer.StatusCode
	}()
	<-entered
	down := make(chan error, 1)
	go func() { down <- s.server.Shutdown(t.Context()) }()
	close(release)
	if status, err := <-answered, <-down; status != http.StatusOK || err != nil {
		t.Errorf("status %d, shutdown: %v", status, err)
	}
}
