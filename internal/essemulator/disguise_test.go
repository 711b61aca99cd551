package essemulator_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// proofs are the ways a receiver looks at a client certificate.
type proofs struct{ presented, trusted, named, inTime, forClients bool }

func proofsOf(emu *essemulator.Emulator, chain []*x509.Certificate) proofs {
	if len(chain) == 0 {
		return proofs{}
	}
	leaf := chain[0]
	return proofs{
		presented: true, trusted: leaf.CheckSignatureFrom(emu.Keys().CA) == nil,
		named:  leaf.VerifyHostname("webhook.api.concursolutions.com") == nil,
		inTime: time.Now().Before(leaf.NotAfter), forClients: slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageClientAuth),
	}
}

func TestClientCertificates(t *testing.T) {
	t.Parallel()
	cases := map[essemulator.CertificateVariant]proofs{
		essemulator.CertificateValid:        {true, true, true, true, true},
		essemulator.CertificateNoClientAuth: {true, true, true, true, false},
		essemulator.CertificateExpired:      {true, true, true, false, true},
		essemulator.CertificateOtherName:    {true, true, false, true, true},
		essemulator.CertificateOtherCA:      {true, false, true, true, true},
		essemulator.CertificateNone:         {},
	}
	for variant, want := range cases {
		t.Run("certificate "+string(variant), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil)
			ep := newEndpoint(t, b.emu, nil)
			b.deliverTo(ep)
			b.publish(report(`{"n":1}`)) // opens a connection that must not be used again
			if err := b.emu.SetDisguise(essemulator.Disguise{Certificate: variant}); err != nil {
				t.Fatal(err)
			}
			b.publish(report(`{"n":2}`))
			if got := proofsOf(b.emu, ep.got()[1].Chain); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestCertificateSubjectHasALetterOutsideASCII(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	got := b.emu.WebhookCertificate().Leaf.Subject
	if got.CommonName != "webhook.api.concursolutions.com" || got.Province[0] != "Baden-Württemberg" {
		t.Errorf("subject = %v", got)
	}
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	ep := newEndpoint(t, b.emu, nil)
	b.deliverTo(ep)
	for _, variant := range []essemulator.SignatureVariant{essemulator.SignatureWrong, essemulator.SignatureMissing} {
		if err := b.emu.SetDisguise(essemulator.Disguise{Signature: variant}); err != nil {
			t.Fatal(err)
		}
		b.publish(report(`{}`))
	}
	if err := b.emu.SetDisguise(essemulator.Disguise{Signature: "none"}); !errors.Is(err, essemulator.ErrInvalid) {
		t.Errorf("an unknown variant: %v, want ErrInvalid", err)
	}
	got := ep.got()
	wrong, err := base64.StdEncoding.DecodeString(got[0].Header.Get("Concur-Signature"))
	if err != nil || len(wrong) != 256 {
		t.Errorf("a wrong signature has the right form: %d bytes, %v", len(wrong), err)
	}
	if value, ok := got[1].Header["Concur-Signature"]; ok {
		t.Errorf("a missing signature is %q", value)
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	ep := newEndpoint(t, b.emu, nil)
	b.deliverTo(ep)
	old := b.emu.Keys()
	keys, err := b.emu.RotateWebhookKey()
	if err != nil {
		t.Fatal(err)
	}
	if keys.Webhook.Equal(old.Webhook) || !keys.Token.Equal(old.Token) {
		t.Error("rotation changes the webhook key and nothing else")
	}
	b.publish(report(`{}`))
	got := ep.got()[0]
	checkSignature(t, b.emu, got, essemulator.PKCS1v15)
	if !keys.Webhook.PublicKey.Equal(got.Chain[0].PublicKey.(*rsa.PublicKey)) {
		t.Error("the certificate presented has another key than the signature")
	}
}
