package adminsecret

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

const (
	certificateLife = 90 * 24 * time.Hour
	authorityLife   = 10 * 365 * 24 * time.Hour
	// skew is how far behind the clocks of others may be.
	skew = time.Hour
)

// Names of subjects. That of the authority is how ours is recognised, and must not change.
const (
	authorityName   = "ess-operator receiver admin authority"
	certificateName = "ess-operator receiver admin"
	organization    = "ess-operator"
)

// authority is a CA that can sign.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// newAuthority makes a CA that signs itself.
func newAuthority(now time.Time) (authority, error) {
	key, err := newKey()
	if err != nil {
		return authority{}, err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: authorityName, Organization: []string{organization}},
		NotBefore: now.Add(-skew), NotAfter: now.Add(authorityLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign,
	}
	certificate, err := sign(template, template, key.Public(), key)
	return authority{certificate: certificate, key: key}, err
}

// issue makes a certificate for a host, with a key of its own.
func (a authority) issue(host string, now time.Time) (certificate *x509.Certificate, key crypto.Signer, err error) {
	if key, err = newKey(); err != nil {
		return nil, nil, err
	}
	names, addresses := namesOf(host)
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: certificateName, Organization: []string{organization}},
		NotBefore: now.Add(-skew), NotAfter: now.Add(certificateLife),
		DNSNames: names, IPAddresses: addresses,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	certificate, err = sign(template, a.certificate, key.Public(), a.key)
	return certificate, key, err
}

func newKey() (crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	return key, nil
}

func sign(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("reading a certificate that was just signed: %w", err)
	}
	return certificate, nil
}

// namesOf are the names to serve a host under: an address, or the host and, where it is that of a Service, its shorter forms.
func namesOf(host string) (names []string, addresses []net.IP) {
	if ip := net.ParseIP(host); ip != nil {
		return nil, []net.IP{ip}
	}
	names = []string{host}
	labels := strings.Split(host, ".")
	if len(labels) >= 3 && labels[2] == "svc" { // service.namespace.svc, and perhaps the cluster's domain
		for n := min(3, len(labels)-1); n > 0; n-- {
			names = append(names, strings.Join(labels[:n], "."))
		}
	}
	return names, nil
}

// serves says whether a certificate has all names to serve a host under.
func serves(certificate *x509.Certificate, host string) bool {
	names, addresses := namesOf(host)
	for _, name := range names {
		if !slices.Contains(certificate.DNSNames, name) {
			return false
		}
	}
	for _, address := range addresses {
		if !slices.ContainsFunc(certificate.IPAddresses, address.Equal) {
			return false
		}
	}
	return true
}

// due says whether two thirds of a certificate's life are over, or it has not begun.
func due(certificate *x509.Certificate, now time.Time) bool {
	life := certificate.NotAfter.Sub(certificate.NotBefore)
	return now.Before(certificate.NotBefore) || !now.Before(certificate.NotBefore.Add(life/3*2))
}

// ours says whether a certificate has the name of our authority.
func ours(name pkix.Name) bool {
	return name.CommonName == authorityName && slices.Equal(name.Organization, []string{organization})
}

// samePublicKey compares the public keys of a certificate and a private key.
func samePublicKey(certificate *x509.Certificate, key crypto.Signer) bool {
	public, ok := certificate.PublicKey.(*ecdsa.PublicKey)
	return ok && public.Equal(key.Public())
}

// parseCertificates reads the certificates of a PEM file; what is none is left out.
func parseCertificates(text []byte) []*x509.Certificate {
	var all []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			all = append(all, certificate)
		}
	}
	return all
}

// parseKey reads a key that this package wrote; nil when it is another.
func parseKey(text []byte) crypto.Signer {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil
	}
	if key, ok := key.(*ecdsa.PrivateKey); ok {
		return key
	}
	return nil
}

func encodeCertificates(certificates ...*x509.Certificate) []byte {
	var text []byte
	for _, certificate := range certificates {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})...)
	}
	return text
}

func encodeKey(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("writing a key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
