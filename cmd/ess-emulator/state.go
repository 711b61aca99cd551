package main

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// stateDir keeps keys and certificates over restarts, so that clients need to be told only once whom to
// trust.
type stateDir string

func (d stateDir) path(name string) string { return filepath.Join(string(d), name) }

// keys reads the keys, or makes and writes them on the first start. ca.crt is written last: while it is
// missing, the rest is unfinished and made again.
func (d stateDir) keys() (essemulator.Keys, error) {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return essemulator.Keys{}, fmt.Errorf("making the state directory: %w", err)
	}
	caPEM, err := os.ReadFile(d.path("ca.crt"))
	if errors.Is(err, fs.ErrNotExist) {
		return d.newKeys()
	}
	if err != nil {
		return essemulator.Keys{}, fmt.Errorf("reading the state directory: %w", err)
	}
	k, err := d.readKeys(caPEM)
	if err != nil {
		return k, fmt.Errorf("reading the state directory %s (delete it to start afresh): %w", d, err)
	}
	return k, nil
}

func (d stateDir) newKeys() (essemulator.Keys, error) {
	k, err := essemulator.NewKeys()
	if err != nil {
		return k, err
	}
	for name, key := range map[string]crypto.Signer{"ca.key": k.CAKey, "token.key": k.Token, "webhook.key": k.Webhook} {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return k, fmt.Errorf("encoding %s: %w", name, err)
		}
		block := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
		if err := write(d.path(name), block, 0o600); err != nil {
			return k, err
		}
	}
	return k, write(d.path("ca.crt"), k.CAPEM(), 0o644)
}

func (d stateDir) readKeys(caPEM []byte) (k essemulator.Keys, err error) {
	block, _ := pem.Decode(caPEM)
	if block == nil {
		return k, errors.New("ca.crt holds no PEM block")
	}
	if k.CA, err = x509.ParseCertificate(block.Bytes); err != nil {
		return k, fmt.Errorf("parsing ca.crt: %w", err)
	}
	if time.Now().After(k.CA.NotAfter) {
		return k, fmt.Errorf("ca.crt ended on %s", k.CA.NotAfter.Format(time.DateOnly))
	}
	if k.CAKey, err = d.readKey("ca.key"); err != nil {
		return k, err
	}
	if k.Token, err = d.readRSAKey("token.key"); err != nil {
		return k, err
	}
	k.Webhook, err = d.readRSAKey("webhook.key")
	return k, err
}

func (d stateDir) readRSAKey(name string) (*rsa.PrivateKey, error) {
	key, err := d.readKey(name)
	if err != nil {
		return nil, err
	}
	rsaKey, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s is no RSA key", name)
	}
	return rsaKey, nil
}

func (d stateDir) readKey(name string) (crypto.Signer, error) {
	text, err := os.ReadFile(d.path(name))
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM block", name)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parsing %s: %w", name, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s is no signing key", name)
	}
	return signer, nil
}

// certificate returns the certificate in prefix.crt and prefix.key if it still serves all hosts, or issues
// one and writes it there.
func certificate(k essemulator.Keys, prefix string, hosts []string) (tls.Certificate, error) {
	if cert, err := tls.LoadX509KeyPair(prefix+".crt", prefix+".key"); err == nil && serves(k, cert.Leaf, hosts) {
		return cert, nil
	}
	cert, err := k.ServerCertificate(hosts...)
	if err != nil {
		return cert, err
	}
	return cert, writeCertificate(prefix, cert)
}

// serves tells whether a certificate is of our CA, good for a month, and names all hosts.
func serves(k essemulator.Keys, leaf *x509.Certificate, hosts []string) bool {
	if leaf.CheckSignatureFrom(k.CA) != nil || time.Until(leaf.NotAfter) < 30*24*time.Hour {
		return false
	}
	for _, h := range hosts {
		if leaf.VerifyHostname(h) != nil {
			return false
		}
	}
	return true
}

// shows tells whether the certificate in prefix.crt and prefix.key is one that deliveries may present: of our CA, good
// for a month, with the key that signs.
func shows(k essemulator.Keys, prefix string) bool {
	cert, err := tls.LoadX509KeyPair(prefix+".crt", prefix+".key")
	return err == nil && serves(k, cert.Leaf, nil) && k.Webhook.PublicKey.Equal(cert.Leaf.PublicKey)
}

func writeCertificate(prefix string, cert tls.Certificate) error {
	certPEM, keyPEM, err := essemulator.CertificatePEM(cert)
	if err != nil {
		return err
	}
	if err := write(prefix+".key", keyPEM, 0o600); err != nil {
		return err
	}
	return write(prefix+".crt", certPEM, 0o644)
}

// write replaces a file in one step, so that nobody reads half of it. What holds the data already is left alone, as
// the directory may be read-only.
func write(name string, data []byte, mode fs.FileMode) error {
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, data) {
		return nil
	}
	next := name + ".new"
	if err := os.WriteFile(next, data, mode); errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("writing %s: the directory is read-only and not complete; write it with --init and the same flags: %w", name, err)
	} else if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if err := os.Rename(next, name); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}
