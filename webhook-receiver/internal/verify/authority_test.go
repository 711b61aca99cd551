package verify_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/verify"
)

const name = verify.PublishedName

var (
	in2025 = time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	in2026 = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	today  = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

// issued is a certificate with its key.
type issued struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

var serial atomic.Int64

// issue makes a certificate; a nil issuer: by itself. The template may leave out what is always the same.
func issue(tb testing.TB, issuer *issued, template x509.Certificate) issued {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template.SerialNumber = big.NewInt(serial.Add(1))
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = today.AddDate(-1, 0, 0), today.AddDate(1, 0, 0)
	}
	template.BasicConstraintsValid = true
	parent, parentKey := &template, key
	if issuer != nil {
		parent, parentKey = issuer.cert, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, parent, &key.PublicKey, parentKey)
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return issued{cert, key}
}

func authority(cn string) x509.Certificate {
	return x509.Certificate{Subject: pkix.Name{CommonName: cn}, IsCA: true, KeyUsage: x509.KeyUsageCertSign}
}

func client(cn string, dns ...string) x509.Certificate {
	return x509.Certificate{
		Subject: pkix.Name{CommonName: cn}, DNSNames: dns,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
}

// valid bounds a template's validity.
func valid(c x509.Certificate, from, to time.Time) x509.Certificate {
	c.NotBefore, c.NotAfter = from, to
	return c
}

func pemOf(certs ...*x509.Certificate) []byte {
	var all []byte
	for _, c := range certs {
		all = append(all, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return all
}

func file(tb testing.TB, path ...string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, path...)...))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func certs(tb testing.TB, path ...string) []*x509.Certificate {
	tb.Helper()
	var all []*x509.Certificate
	for block, rest := pem.Decode(file(tb, path...)); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

// shown is a request on a connection that brought these certificates.
func shown(chain ...*x509.Certificate) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/events/finance/reports", nil)
	r.TLS = &tls.ConnectionState{PeerCertificates: chain}
	return r
}

func policy(tb testing.TB, c verify.Config) *verify.Policy {
	tb.Helper()
	p, err := verify.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}
