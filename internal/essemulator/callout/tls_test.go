package callout_test

import (
	"crypto/fips140"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/essemulator/callout"
)

// offered is what a callout offers in its TLS handshake, and how the test of the connection went.
func offered(t *testing.T, tls13 bool, server *tls.Config) (hello tls.ClientHelloInfo, try callout.Attempt) {
	t.Helper()
	server.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		hello = tls.ClientHelloInfo{CipherSuites: slices.Clone(h.CipherSuites), SupportedVersions: slices.Clone(h.SupportedVersions)}
		return nil, nil
	}
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) > 0 {
			t.Error("the callout presented a certificate")
		}
	})
	server.ClientAuth = tls.RequestClientCert
	srv.TLS, srv.Config.ErrorLog = server, log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	service := callout.New(callout.Config{Roots: roots})
	assume := callout.DefaultAssumptions()
	assume.TLS13 = tls13
	if err := service.SetAssumptions(assume); err != nil {
		t.Fatal(err)
	}
	err := service.PutConnector(callout.Connector{Name: "c", Host: srv.URL, UserName: userName, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	if try, err = service.TestConnection(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
	return hello, try
}

func TestSuitesOfThePlatformPage(t *testing.T) {
	t.Parallel()
	hello, try := offered(t, false, &tls.Config{MinVersion: tls.VersionTLS12})
	if diff := cmp.Diff([]uint16{tls.VersionTLS12}, hello.SupportedVersions); diff != "" || try.Status != http.StatusOK {
		t.Errorf("%+v with versions (-want +got):\n%s", try, diff)
	}
	want := []string{
		"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
		"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
		"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
	}
	if fips140.Enabled() { // neither SHA-1 nor ChaCha20
		want = []string{
			"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
		}
	}
	var got []string
	for _, suite := range hello.CipherSuites {
		got = append(got, tls.CipherSuiteName(suite))
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("suites (-want +got):\n%s", diff)
	}
}

func TestVersionsOfTLS(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		tls13  bool
		server *tls.Config
		status int
	}{
		"1.3":       {"1.2 or newer", true, &tls.Config{MinVersion: tls.VersionTLS13}, 200},
		"1.2":       {"1.2 or newer", true, &tls.Config{MaxVersion: tls.VersionTLS12}, 200},
		"1.1":       {"too old", true, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, 0},
		"1.3 alone": {"not offered by assumption", false, &tls.Config{MinVersion: tls.VersionTLS13}, 0},
		"no ECDHE": {
			"RSA key exchange is not on the page", true,
			&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}}, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, try := offered(t, tc.tls13, tc.server); try.Status != tc.status || (try.Error == "") != (tc.status == 200) {
				t.Errorf("%+v, want status %d: %s", try, tc.status, tc.reason)
			}
		})
	}
}
