package adminsecret

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"time"
)

// Keys of the Secret.
const (
	tokenKey        = "token"
	certificateKey  = "tls.crt"
	privateKey      = "tls.key"
	authoritiesKey  = "ca.crt"
	authorityKeyKey = "ca.key"
)

// trouble is what only a person can mend.
type trouble struct {
	reason string // of an event
	text   string
}

// secret is the content of the Secret under consideration, and what has to be written to it.
type secret struct {
	data     map[string][]byte
	host     string
	now      time.Time
	changes  map[string][]byte
	wrong    *trouble
	notAfter time.Time // end of the certificate that is to be served; zero when there is none that can be read
}

// complete finds what has to be written so that data will do for an admin port at host.
func complete(data map[string][]byte, host string, now time.Time) (*secret, error) {
	s := &secret{data: data, host: host, now: now, changes: map[string][]byte{}}
	if len(bytes.TrimSpace(data[tokenKey])) == 0 {
		token := make([]byte, 32)
		_, _ = rand.Read(token) // it never fails
		s.changes[tokenKey] = []byte(hex.EncodeToString(token))
	}
	return s, s.completeCertificate()
}

// completeCertificate decides about the certificate: ours is made and renewed, any other only looked at.
func (s *secret) completeCertificate() error {
	authorities := parseCertificates(s.data[authoritiesKey])
	has := func(key string) bool { return len(s.data[key]) > 0 }
	switch {
	case has(certificateKey) && has(privateKey):
		return s.examine(authorities)
	case has(certificateKey):
		s.incomplete(certificateKey, privateKey)
	case has(privateKey):
		s.incomplete(privateKey, certificateKey)
	case has(authoritiesKey) && len(signers(authorities)) == 0:
		s.incomplete(authoritiesKey, certificateKey+" and "+privateKey)
	default:
		return s.issue(authorities)
	}
	return nil
}

// examine looks at a certificate and a key that are there, and renews the certificate if it is ours.
func (s *secret) examine(authorities []*x509.Certificate) error {
	chain := parseCertificates(s.data[certificateKey])
	if len(chain) == 0 || !isPair(s.data[certificateKey], s.data[privateKey]) {
		s.invalid("tls.crt and tls.key are not a certificate in PEM and its key")
		return nil
	}
	s.notAfter = chain[0].NotAfter
	if issuedBy(signers(authorities), chain[0]) {
		return s.renew(chain[0], authorities)
	}
	s.check(chain, authorities)
	return nil
}

func isPair(certificate, key []byte) bool {
	_, err := tls.X509KeyPair(certificate, key)
	return err == nil
}

// signers are those of our authorities among certificates.
func signers(certificates []*x509.Certificate) []*x509.Certificate {
	var found []*x509.Certificate
	for _, c := range certificates {
		if c.IsCA && ours(c.Subject) {
			found = append(found, c)
		}
	}
	return found
}

// issuedBy says whether one of our authorities signed a certificate.
func issuedBy(signers []*x509.Certificate, certificate *x509.Certificate) bool {
	for _, signer := range signers {
		if certificate.CheckSignatureFrom(signer) == nil {
			return true
		}
	}
	return false
}

// renew replaces a certificate of ours when it is time, or else the authority when that is time.
func (s *secret) renew(certificate *x509.Certificate, authorities []*x509.Certificate) error {
	if due(certificate, s.now) || !serves(certificate, s.host) {
		return s.issue(authorities)
	}
	if current, ok := s.current(authorities); ok && !due(current.certificate, s.now) {
		return nil
	}
	_, err := s.replaceAuthority(authorities)
	return err
}

// issue puts a new certificate into the Secret.
func (s *secret) issue(authorities []*x509.Certificate) error {
	signer, ok := s.current(authorities)
	if !ok || signer.certificate.NotAfter.Before(s.now.Add(certificateLife)) || s.now.Before(signer.certificate.NotBefore) {
		var err error
		if signer, err = s.replaceAuthority(authorities); err != nil {
			return err
		}
	}
	certificate, key, err := signer.issue(s.host, s.now)
	if err != nil {
		return err
	}
	if s.changes[privateKey], err = encodeKey(key); err != nil {
		return err
	}
	s.changes[certificateKey] = encodeCertificates(certificate)
	s.notAfter = certificate.NotAfter
	return nil
}

// current is the authority whose key is in the Secret.
func (s *secret) current(authorities []*x509.Certificate) (authority, bool) {
	key := parseKey(s.data[authorityKeyKey])
	if key == nil {
		return authority{}, false
	}
	for _, certificate := range signers(authorities) {
		if samePublicKey(certificate, key) {
			return authority{certificate: certificate, key: key}, true
		}
	}
	return authority{}, false
}

// replaceAuthority puts a new authority beside those that have not expired.
func (s *secret) replaceAuthority(authorities []*x509.Certificate) (authority, error) {
	next, err := newAuthority(s.now)
	if err != nil {
		return next, err
	}
	trusted := []*x509.Certificate{next.certificate}
	for _, certificate := range authorities {
		if s.now.Before(certificate.NotAfter) {
			trusted = append(trusted, certificate)
		}
	}
	s.changes[authoritiesKey] = encodeCertificates(trusted...)
	s.changes[authorityKeyKey], err = encodeKey(next.key)
	return next, err
}
