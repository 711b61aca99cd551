package ess

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestTransportToleratesACertificateRequest(t *testing.T) {
	t.Parallel()
	c := &concur{api: answers(200, "[]")}
	c.Server = httptest.NewUnstartedServer(c)
	c.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
	c.StartTLS()
	t.Cleanup(c.Close)
	if err := callTopics(t.Context(), c.client(t)); err != nil {
		t.Errorf("hosts without www- may ask for a certificate: %v", err)
	}
}

func TestTransportSpeaksHTTP2(t *testing.T) {
	t.Parallel()
	c := &concur{api: func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			http.Error(w, r.Proto, http.StatusBadRequest)
			return
		}
		answers(200, "[]")(w, r)
	}}
	c.Server = httptest.NewUnstartedServer(c)
	c.EnableHTTP2 = true
	c.StartTLS()
	t.Cleanup(c.Close)
	if err := callTopics(t.Context(), c.client(t)); err != nil {
		t.Errorf("a server that offers HTTP/2 must get it: %v", err)
	}
}

func TestTransportInsistsOnTrust(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		server func(http.Handler) *httptest.Server
	}{
		"UnknownRoot": {"A certificate of an unknown authority proves nothing.", httptest.NewTLSServer},
		"OldTLS": {"TLS 1.1 is broken.", func(h http.Handler) *httptest.Server {
			s := httptest.NewUnstartedServer(h)
			s.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
			s.StartTLS()
			return s
		}},
		"PlainHTTP": {"A server that speaks no TLS at all must not get the secret.", func(h http.Handler) *httptest.Server {
			s := httptest.NewServer(h)
			s.URL = strings.Replace(s.URL, "http:", "https:", 1)
			return s
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := tc.server(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the request arrived") }))
			defer server.Close()
			client, err := New(Config{
				BaseURL: server.URL, ClientID: testID, ClientSecret: testSecret, Transport: unhurried(nil), Timeout: time.Minute,
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.Token(t.Context()); !errors.Is(err, ErrTLS) {
				t.Errorf("%s\ngot %v, want %v", tc.reason, err, ErrTLS)
			}
		})
	}
}

func TestExpiredCertificateIsNamedByItsDates(t *testing.T) {
	t.Parallel()
	server := newConcur(t, answers(200, "[]"))
	transport := unhurried(server.roots())
	transport.TLSClientConfig.Time = func() time.Time { return server.Certificate().NotAfter.Add(time.Hour) }
	_, err := server.client(t, func(cfg *Config) { cfg.Transport = transport }).Token(t.Context())
	want := "obtaining a token: no trusted connection: 127.0.0.1: certificate valid only from 1970-01-01T00:00:00Z to 2084-01-29T16:00:00Z"
	if !errors.Is(err, ErrTLS) || err.Error() != want {
		t.Errorf("the text must not hold the time of day\ngot  %v\nwant %s", err, want)
	}
}

func TestHandshakesThatBreak(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason, sends string
		want          error
	}{
		"Closed":  {"A host that hangs up is a network at fault, or a load balancer.", "", ErrConnect},
		"NotTLS":  {"A message that has no place in a handshake is a fault of TLS.", "\x16\x03\x03\x00\x04\x00\x00\x00\x00", ErrTLS},
		"NotEven": {"Nor does SSH speak TLS.", "SSH-2.0-OpenSSH_9.6\r\n", ErrTLS},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = listener.Close() })
			go greet(listener, tc.sends)
			client, err := New(Config{
				BaseURL: "https://" + listener.Addr().String(), ClientID: testID, ClientSecret: testSecret,
				Transport: unhurried(nil), Timeout: time.Minute,
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.Token(t.Context()); !errors.Is(err, tc.want) {
				t.Errorf("%s\ngot %v, want %v", tc.reason, err, tc.want)
			}
		})
	}
}

// greet takes one connection, reads the client's first bytes, says its piece and hangs up.
func greet(listener net.Listener, text string) {
	conn, err := listener.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = conn.Read(make([]byte, 4096))
	_, _ = io.WriteString(conn, text)
}

func TestTransportIsBounded(t *testing.T) {
	t.Parallel()
	tr := NewTransport(nil)
	if tr.Proxy == nil || tr.TLSHandshakeTimeout == 0 || tr.ResponseHeaderTimeout == 0 || tr.IdleConnTimeout == 0 ||
		tr.MaxConnsPerHost == 0 || tr.MaxResponseHeaderBytes == 0 || tr.TLSClientConfig.MinVersion < tls.VersionTLS12 {
		t.Errorf("a bound is missing: %+v", tr)
	}
}
