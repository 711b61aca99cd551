package sink_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/sink"
)

func TestRedirects(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		status int
		hops   string // one letter for each request
		want   string // the error; empty: delivered
	}{
		"307":     {"Method and body stay.", 307, "x", ""},
		"308":     {"Likewise.", 308, "xxx", ""},
		"TooMany": {"Three are enough for anybody.", 308, "xxxx", "the sink answered 308 Permanent Redirect"},
		"301":     {"It would become a GET without a body.", 301, "x", "the sink answered 301 Moved Permanently"},
		"302":     {"Likewise.", 302, "x", "the sink answered 302 Found"},
		"303":     {"Likewise.", 303, "x", "the sink answered 303 See Other"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, got := recorder(t, func(w http.ResponseWriter, r *http.Request) {
				if left := r.URL.Path[1:]; left != "" {
					w.Header().Set("Location", "/"+left[1:])
					w.WriteHeader(tc.status)
				}
			})
			c := client(t, sink.Config{})
			err := send(t, c, at(t, server.URL+"/"+tc.hops+"?token=secret"), simple, route.Binary)
			if (err == nil) != (tc.want == "") || err != nil && err.Error() != tc.want {
				t.Fatalf("%s: got %v, want %s", tc.reason, err, tc.want)
			}
			for range len(got) {
				r := <-got
				if string(r.Body) != string(simple.Body) || r.Header.Get("Ce-Id") != "1" || r.Header.Get("Referer") != "" {
					t.Errorf("%s: %s got %s, Referer %q", tc.reason, r.Path, r.Body, r.Header.Get("Referer"))
				}
			}
		})
	}
}

func TestNoRedirectFromHTTPSToHTTP(t *testing.T) {
	t.Parallel()
	plain, reached := recorder(t, nil)
	server := overTLS(t, http.RedirectHandler(plain.URL, http.StatusTemporaryRedirect), nil)
	to := at(t, server.URL)
	to.CABundle = authority(server)
	err := send(t, client(t, sink.Config{}), to, simple, route.Binary)
	if err == nil || err.Error() != "the sink answered 307 Temporary Redirect" || len(reached) != 0 {
		t.Errorf("got %v and %d requests: what was protected must not become readable", err, len(reached))
	}
}

// overTLS starts a server that speaks HTTP/2 as well; config may be nil.
func overTLS(t *testing.T, handler http.Handler, config *tls.Config) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.TLS = config
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of each refused handshake
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// authority returns a server's certificate, which is its own CA, as PEM.
func authority(server *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

func TestWhichCertificatesAreTrusted(t *testing.T) {
	t.Parallel()
	server := overTLS(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	tests := map[string]struct {
		reason string
		roots  *x509.CertPool
		bundle []byte
		want   string
	}{
		"Bundle":      {reason: "The sink's own.", bundle: authority(server)},
		"Roots":       {reason: "Those of the process.", roots: roots},
		"Both":        {reason: "A bundle comes beside them.", roots: roots, bundle: authority(server)},
		"Neither":     {reason: "Nobody vouches for it.", want: "the sink's certificate is not signed by a CA that is trusted: give the CA as caBundle"},
		"OtherRoots":  {reason: "Nor does an empty pool.", roots: x509.NewCertPool(), want: "the sink's certificate is not signed by a CA that is trusted: give the CA as caBundle"},
		"EmptyBundle": {reason: "It must not be taken for no bundle.", bundle: []byte("no PEM"), want: "the sink's caBundle holds no certificate: give it as PEM"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := at(t, server.URL)
			to.CABundle = tc.bundle
			err := send(t, client(t, sink.Config{Roots: tc.roots}), to, simple, route.Binary)
			if (err == nil) != (tc.want == "") || err != nil && err.Error() != tc.want {
				t.Errorf("%s: got %v, want %s", tc.reason, err, tc.want)
			}
		})
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	t.Parallel()
	server := overTLS(t, http.NotFoundHandler(), &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	to := at(t, server.URL)
	to.CABundle = authority(server)
	err := send(t, client(t, sink.Config{}), to, simple, route.Binary)
	if err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("got %v", err)
	}
}

func TestHTTP2AndUserAgent(t *testing.T) {
	t.Parallel()
	got := make(chan request, 1)
	server := overTLS(t, record(t, got, nil), nil)
	to := at(t, server.URL)
	to.CABundle = authority(server)
	if err := send(t, client(t, sink.Config{Version: "v1.2.3"}), to, simple, route.Binary); err != nil {
		t.Fatal(err)
	}
	r := <-got
	want := request{Proto: "HTTP/2.0", Path: "/", Body: simple.Body, Header: http.Header{
		"Content-Type": {"application/json"}, "Content-Length": {"7"}, "User-Agent": {"ess-operator-receiver/v1.2.3"},
		"Ce-Specversion": {"1.0"}, "Ce-Id": {"1"}, "Ce-Source": {"/s"}, "Ce-Type": {"t"}, "Ce-Time": {"2026-11-22T08:00:00Z"},
	}}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("the whole request (-want +got):\n%s", diff)
	}
}

func TestCredentialsOfAURIAreSent(t *testing.T) {
	t.Parallel()
	server, got := recorder(t, nil)
	to := at(t, strings.Replace(server.URL, "http://", "http://user:pass@", 1))
	if err := send(t, client(t, sink.Config{}), to, simple, route.Binary); err != nil {
		t.Fatal(err)
	}
	if auth := (<-got).Header.Get("Authorization"); auth != "Basic dXNlcjpwYXNz" {
		t.Errorf("got Authorization %q", auth)
	}
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/fails" {
			w.WriteHeader(http.StatusBadGateway)
		}
		_, _ = w.Write(make([]byte, 32<<10)) // the client may hang up
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	c := client(t, sink.Config{})
	for range 10 {
		if err := send(t, c, at(t, server.URL), simple, route.Binary); err != nil {
			t.Fatal(err)
		}
		if err := send(t, c, at(t, server.URL+"/fails"), simple, route.Binary); err == nil {
			t.Fatal("got no error")
		}
	}
	// One is the rule. net/http takes a new one when its own writer is 50 ms late to say that a request has left,
	// which happens on a busy machine; if failures alone cost a connection, there were eleven.
	if n := connections.Load(); n > 5 {
		t.Errorf("got %d connections for 20 attempts one after the other, want 1", n)
	}
}
