package essemulator

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"time"
)

// signatureHeader carries the base64 of the signature over the body's bytes. Header name and base64 are
// from SAP Concur, Event Subscription Service v4, and from public receivers; the algorithm is an assumption.
const signatureHeader = "Concur-Signature"

// webhookName is the common and only alternative name of Concur's client certificate.
const webhookName = "webhook.api.concursolutions.com"

// Disguise is how deliveries prove that they are from ESS. The zero value proves it; every other value is a
// way in which it has gone wrong, or may, so that receivers can be tested.
type Disguise struct {
	Certificate CertificateVariant `json:"certificate"`
	Signature   SignatureVariant   `json:"signature"`
}

// CertificateVariant is the client certificate that deliveries present when the endpoint asks for one.
type CertificateVariant string

// The client certificates.
const (
	CertificateValid        CertificateVariant = ""
	CertificateNoClientAuth CertificateVariant = "no-client-auth" // extended key usage serverAuth only
	CertificateExpired      CertificateVariant = "expired"
	CertificateOtherName    CertificateVariant = "other-name" // another host of the same domain
	CertificateOtherCA      CertificateVariant = "other-ca"   // right name, unknown authority
	CertificateNone         CertificateVariant = "none"
)

// SignatureVariant is what Concur-Signature holds.
type SignatureVariant string

// The signatures.
const (
	SignatureValid   SignatureVariant = ""
	SignatureWrong   SignatureVariant = "wrong"   // right form, made over other bytes
	SignatureMissing SignatureVariant = "missing" // no header
)

// SetDisguise changes how deliveries prove themselves from now on. The error is [ErrInvalid] for values that
// do not exist.
func (e *Emulator) SetDisguise(d Disguise) error {
	switch d.Signature {
	case SignatureValid, SignatureWrong, SignatureMissing:
	default:
		return fmt.Errorf("changing the signature to %q: %w", d.Signature, ErrInvalid)
	}
	cert, err := e.Keys().webhookCertificate(d.Certificate)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.disguise = d
	e.present(cert)
	return nil
}

// Disguise returns the one in force.
func (e *Emulator) Disguise() Disguise {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.disguise
}

// AnnounceWebhookKey returns the keys as they will be after the next [Emulator.RotateWebhookKey], so that a receiver
// can trust the new one before it is used, as Concur's notice allows. Until then the answer stays the same.
func (e *Emulator) AnnounceWebhookKey() (Keys, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.announced == nil {
		key, err := rsa.GenerateKey(rand.Reader, rsaBits)
		if err != nil {
			return Keys{}, fmt.Errorf("making the webhook key: %w", err)
		}
		e.announced = key
	}
	keys := e.keys
	keys.Webhook = e.announced
	return keys, nil
}

// RotateWebhookKey gives signature and client certificate a new key, as Concur did in 2023 and 2025, and
// returns the new keys: those that were announced, if they were. The certificate is valid again, whatever the
// disguise was.
func (e *Emulator) RotateWebhookKey() (Keys, error) {
	keys, err := e.AnnounceWebhookKey()
	if err != nil {
		return Keys{}, err
	}
	cert, err := keys.webhookCertificate(CertificateValid)
	if err != nil {
		return Keys{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.keys.Webhook, e.announced, e.disguise = keys.Webhook, nil, Disguise{}
	e.present(cert)
	return e.keys, nil
}

// WebhookCertificate returns what deliveries present when an endpoint asks, with the chain.
func (e *Emulator) WebhookCertificate() tls.Certificate {
	e.mu.Lock()
	defer e.mu.Unlock()
	return *e.certificate
}

// present changes the client certificate; e.mu is held. Open connections have shown the old one.
func (e *Emulator) present(cert *tls.Certificate) {
	e.certificate = cert
	e.client.CloseIdleConnections()
}

func (e *Emulator) clientCertificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.certificate, nil
}

// webhookCertificate issues a client certificate like Concur's: its names, a subject with a letter outside
// ASCII as the one of 2025 has, both extended key usages, and the key that also signs events.
func (k Keys) webhookCertificate(v CertificateVariant) (*tls.Certificate, error) {
	name := webhookName
	if v == CertificateOtherName {
		name = "other.api.concursolutions.com"
	}
	template := leaf(pkix.Name{
		CommonName: name, Organization: []string{"ess-emulator"}, Locality: []string{"Walldorf"},
		Province: []string{"Baden-Württemberg"}, Country: []string{"DE"},
	})
	template.DNSNames = []string{name}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	switch v {
	case CertificateValid, CertificateOtherName:
	case CertificateNoClientAuth:
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	case CertificateExpired:
		template.NotAfter = time.Now().Add(-skew / 2)
	case CertificateOtherCA:
		var err error
		if k.CA, k.CAKey, err = strangeCA(); err != nil {
			return nil, err
		}
	case CertificateNone:
		return &tls.Certificate{}, nil
	default:
		return nil, fmt.Errorf("issuing a client certificate %q: %w", v, ErrInvalid)
	}
	cert, err := k.issue(template, k.Webhook)
	return &cert, err
}

// strangeCA is an authority that nobody trusts.
func strangeCA() (*x509.Certificate, crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making the CA key: %w", err)
	}
	ca, err := newCA(key)
	return ca, key, err
}

// sign makes the value of Concur-Signature.
func (p *parcel) sign() (string, error) {
	signed := p.body
	switch p.signature {
	case SignatureMissing:
		return "", nil
	case SignatureWrong:
		signed = append([]byte("not "), p.body...)
	}
	digest := sha256.Sum256(signed)
	var value []byte
	var err error
	if p.padding == PSS {
		// The default salt length when signing is the largest that fits, as in the signature that a public
		// receiver recorded.
		value, err = rsa.SignPSS(rand.Reader, p.key, crypto.SHA256, digest[:], nil)
	} else {
		value, err = rsa.SignPKCS1v15(nil, p.key, crypto.SHA256, digest[:])
	}
	if err != nil {
		return "", fmt.Errorf("signing the event: %w", err)
	}
	return base64.StdEncoding.EncodeToString(value), nil
}
