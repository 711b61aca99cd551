package adminsecret

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// incomplete says what is missing beside what somebody else put there.
func (s *secret) incomplete(there, missing string) {
	s.wrong = &trouble{"AdminSecretIncomplete", fmt.Sprintf(
		"it has %s and no %s, and the manager does not mix its own with what others put there: add %s, or remove tls.crt, tls.key and ca.crt, and the manager makes all",
		there, missing, missing)}
}

// invalid says what is wrong with what somebody else put there.
func (s *secret) invalid(what string) {
	s.wrong = &trouble{"AdminCertificateInvalid", what +
		"; the manager did not issue this certificate and leaves it alone: replace it, or remove tls.crt, tls.key and ca.crt, and the manager makes one and renews it"}
}

// check says what is wrong, if anything, with a certificate that somebody else issued.
func (s *secret) check(chain, authorities []*x509.Certificate) {
	err := s.verify(chain, authorities)
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case err == nil:
	case errors.As(err, &hostname):
		s.invalid(fmt.Sprintf("tls.crt is not for %s, the host of --receiver-admin-url", s.host))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		s.invalid(fmt.Sprintf("the certificate of %q in tls.crt or ca.crt is valid from %s to %s only",
			invalid.Cert.Subject, invalid.Cert.NotBefore.UTC().Format(time.RFC3339), invalid.Cert.NotAfter.UTC().Format(time.RFC3339)))
	case len(s.data[authoritiesKey]) == 0:
		s.incomplete(certificateKey+", of an authority that the system does not know,", authoritiesKey)
	default:
		s.invalid("tls.crt does not hold against ca.crt: " + err.Error())
	}
}

// verify verifies a chain as callers of the admin port do.
func (s *secret) verify(chain, authorities []*x509.Certificate) error {
	options := x509.VerifyOptions{DNSName: s.host, CurrentTime: s.now, Intermediates: x509.NewCertPool()}
	for _, certificate := range chain[1:] {
		options.Intermediates.AddCert(certificate)
	}
	if len(s.data[authoritiesKey]) > 0 { // without any, the system's roots are used there too
		options.Roots = x509.NewCertPool()
		for _, certificate := range authorities {
			options.Roots.AddCert(certificate)
		}
	}
	_, err := chain[0].Verify(options)
	return err
}
