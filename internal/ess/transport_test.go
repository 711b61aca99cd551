package ess

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
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
			client, err := New(Config{BaseURL: server.URL, ClientID: testID, ClientSecret: testSecret})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.Token(t.Context()); !errors.Is(err, ErrTLS) {
				t.Errorf("%s\ngot %v, want %v", tc.reason, err, ErrTLS)
			}
		})
	}
}

func TestTransportIsBounded(t *testing.T) {
	t.Parallel()
	tr := NewTransport(nil)
	if tr.Proxy == nil || tr.TLSHandshakeTimeout == 0 || tr.ResponseHeaderTimeout == 0 || tr.IdleConnTimeout == 0 ||
		tr.MaxConnsPerHost == 0 || tr.MaxResponseHeaderBytes == 0 || tr.TLSClientConfig.MinVersion < tls.VersionTLS12 {
		t.Errorf("a bound is missing: %+v", tr)
	}
}
