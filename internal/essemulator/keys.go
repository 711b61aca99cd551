package essemulator

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"sync"
)

// Keys are the secrets of one emulated data center.
type Keys struct {
	// Token signs access tokens.
	Token *rsa.PrivateKey
	// Webhook signs events, and is the key of the client certificate that deliveries present: at Concur the
	// two have been one key in every period that published certificates allow to check.
	Webhook *rsa.PrivateKey
	// CA issues the client certificate, and server certificates for local endpoints.
	CA *x509.Certificate
	// CAKey is the key of CA.
	CAKey crypto.Signer
}

// rsaBits is the size of Concur's published keys.
const rsaBits = 2048

// sharedKeys makes keys once per process: RSA keys are slow to make, and most users do not care.
var sharedKeys = sync.OnceValues(NewKeys)

// NewKeys makes keys and a certificate authority of their own.
func NewKeys() (Keys, error) {
	token, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return Keys{}, fmt.Errorf("making the token key: %w", err)
	}
	webhook, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return Keys{}, fmt.Errorf("making the webhook key: %w", err)
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Keys{}, fmt.Errorf("making the CA key: %w", err)
	}
	ca, err := newCA(caKey)
	if err != nil {
		return Keys{}, err
	}
	return Keys{Token: token, Webhook: webhook, CA: ca, CAKey: caKey}, nil
}

// Keys returns the keys that this emulator works with.
func (e *Emulator) Keys() Keys {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.keys
}

// DefaultRoots are the system's authorities and the CA of the keys.
func DefaultRoots(k Keys) *x509.CertPool {
	roots, err := x509.SystemCertPool()
	if err != nil { // a machine without any is no obstacle to local endpoints
		roots = x509.NewCertPool()
	}
	roots.AddCert(k.CA)
	return roots
}

// CAPEM is the certificate authority in PEM, for clients that have to trust what it issued.
func (k Keys) CAPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: k.CA.Raw})
}

// SigningKeyPEM is the public key of Concur-Signature in PEM, as Concur publishes its own.
func (k Keys) SigningKeyPEM() []byte { return publicKeyPEM(&k.Webhook.PublicKey) }

func publicKeyPEM(key *rsa.PublicKey) []byte {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil { // not possible for an RSA key
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// tokenKeyID is a number of ten digits, as Concur's key ids are, that follows from the key.
func (k Keys) tokenKeyID() string {
	sum := sha256.Sum256(x509.MarshalPKCS1PublicKey(&k.Token.PublicKey))
	return fmt.Sprintf("%010d", binary.BigEndian.Uint32(sum[:4]))
}
