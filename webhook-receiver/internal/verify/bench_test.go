package verify_test

import (
	"crypto/rsa"
	"encoding/base64"
	"net/http"
	"net/url"
	"testing"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/verify"
)

// BenchmarkProve tells what a check costs: a certificate that was seen before, and one that was not; a signature
// that fits the key that fitted last, and one that fits none of two keys and two algorithms.
func BenchmarkProve(b *testing.B) {
	root := file(b, "certs", "digicert-global-root-g2.pem")
	concurs := certs(b, "certs", "webhook-2026-fullchain.pem")
	certificate := verify.Config{Certificate: &verify.Certificate{CAs: root}, Now: at(in2026)}
	signature := verify.Config{Signature: &verify.Signature{Keys: []verify.Key{{Name: "mine", PEM: publicPEM(mine())}}}}
	both := certificate
	both.Signature = signature.Signature
	header := base64.StdEncoding.EncodeToString(sign(mine(), body, nil))
	pss := base64.StdEncoding.EncodeToString(sign(mine(), body, &rsa.PSSOptions{}))
	withBoth := shown(concurs...)
	withBoth.Header.Set(verify.SignatureHeader, header)
	for _, bench := range []struct {
		name string
		p    *verify.Policy
		r    *http.Request
		ok   bool
	}{
		{"CertificateSeen", policy(b, certificate), shown(concurs...), true},
		{"ForwardedSeen", forwardedPolicy(b), forwarded("10.1.0.1:1", url.PathEscape(string(file(b, "certs", "webhook-2026-leaf.pem")))), true},
		{"SignaturePKCS1v15", policy(b, signature), signed(header), true},
		{"SignaturePSS", policy(b, signature), signed(pss), true},
		{"Both", policy(b, both), withBoth, true},
		{"SignatureOfNoKey", policy(b, verify.Config{Signature: &verify.Signature{}}), signed(header), false},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := bench.p.Prove(bench.r, body); (err == nil) != bench.ok {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("CertificateUnseen", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := policy(b, certificate).Prove(shown(concurs...), body); err != nil {
				b.Fatal(err)
			}
		}
	})
}
