package intake

import (
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"
)

// ofRSA makes a certificate with an RSA key, as callouts with TLS 1.2 need it.
func ofRSA(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "rsa"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// A caller with the suites that SAP Concur names for callouts gets in, also with one of them alone, and without a
// client certificate; the suites with CBC alone do not do.
func TestSuitesOfCallouts(t *testing.T) {
	t.Parallel()
	h, _ := newHandler(t, withConnectors(Config{}))
	s := start(t, ServerConfig{Handler: h}, false)
	s.identity.Store(&Identity{Certificates: []tls.Certificate{ofRSA(t)}})
	good := []uint16{
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}
	cbc := []uint16{
		tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
		tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	}
	for name, tc := range map[string]struct {
		suites []uint16
		want   bool
	}{
		"All": {append(append([]uint16{}, cbc...), good...), true}, "CBC": {cbc, false},
		"AES256": {good[:1], true}, "AES128": {good[1:2], true}, "ChaCha": {good[2:], !fips140.Enabled()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := client(t, false, func(c *tls.Config) { c.MaxVersion, c.CipherSuites = tls.VersionTLS12, tc.suites })
			r := call{method: http.MethodPost, body: strings.NewReader(goodNotice)}.request()
			r.URL.Scheme, r.URL.Host = "https", s.addr
			answer, err := c.Do(r)
			if (err == nil) != tc.want {
				t.Fatalf("connecting: %v", err)
			}
			if err != nil {
				return
			}
			answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				t.Errorf("status %d", answer.StatusCode)
			}
		})
	}
}
