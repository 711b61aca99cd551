package verify

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Certificate configures the check of client certificates. The TLS server must ask for one without verifying it
// (tls.RequestClientCert), so that a connection whose certificate is not believed can still prove itself otherwise.
type Certificate struct {
	// CAs holds PEM certificates, each of which is trusted to end a chain: roots, but intermediates too. Empty:
	// the system's roots.
	CAs []byte
	// Names are those that a certificate may be made out to, as common name or DNS name; PublishedName when empty.
	// A certificate's wildcard stands for itself only.
	Names []string
	// IgnoreExpiry believes a certificate whose time, or whose issuer's time, is over.
	IgnoreExpiry bool
	// IgnoreKeyUsage believes a certificate that is not marked for TLS clients, as public authorities will make them.
	IgnoreKeyUsage bool
	// Forwarded believes certificates that a proxy has passed on; nil: none.
	Forwarded *Forwarded
}

// maxChain bounds what a stranger can have computed: a chain has three or four certificates.
const maxChain = 10

type certificates struct {
	anchors      []*x509.Certificate
	roots        *x509.CertPool // nil: the system's
	names        []string
	usages       []x509.ExtKeyUsage
	ignoreExpiry bool
	forwarded    *Forwarded
	now          func() time.Time
	believed     cache
	metrics      metrics
}

func newCertificates(c Certificate, now func() time.Time, m metrics) (*certificates, error) {
	v := &certificates{
		names:        c.Names,
		usages:       []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		ignoreExpiry: c.IgnoreExpiry,
		now:          now,
		metrics:      m,
	}
	if len(v.names) == 0 {
		v.names = []string{PublishedName}
	}
	if slices.Contains(v.names, "") {
		return nil, errors.New("names: an empty name would match certificates without any; remove it")
	}
	if c.IgnoreKeyUsage {
		v.usages = []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	}
	if len(c.CAs) > 0 {
		anchors, err := parseCertificates(c.CAs)
		if err != nil {
			return nil, fmt.Errorf("CA bundle: %w", err)
		}
		v.anchors, v.roots = anchors, x509.NewCertPool()
		for _, a := range anchors {
			v.roots.AddCert(a)
		}
	}
	if c.Forwarded != nil {
		forwarded, err := c.Forwarded.withDefaults()
		if err != nil {
			return nil, fmt.Errorf("forwarded: %w", err)
		}
		v.forwarded = &forwarded
	}
	return v, nil
}

// check looks at the header of a listed proxy first: on its connection, the certificate of the handshake is the
// proxy's own.
func (v *certificates) check(r *http.Request, _ []byte) (string, *CheckError) {
	var untrusted *CheckError
	if v.forwarded != nil {
		failure := v.checkForwarded(r)
		v.metrics.count(methodForwarded, failure)
		switch {
		case failure == nil:
			return methodForwarded, nil
		case errors.Is(failure, ErrUntrustedProxy):
			untrusted = failure
		case !errors.Is(failure, ErrAbsent):
			return "", failure
		}
	}
	failure := v.checkDirect(r)
	v.metrics.count(methodCertificate, failure)
	switch {
	case failure == nil:
		return methodCertificate, nil
	case untrusted != nil && errors.Is(failure, ErrAbsent):
		return "", untrusted
	}
	return "", failure
}

func (v *certificates) checkDirect(r *http.Request) *CheckError {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return fail(methodCertificate, ErrAbsent, "the connection brought no client certificate; if a proxy ends TLS, let it pass the certificate on, and configure forwarded")
	}
	chain := r.TLS.PeerCertificates
	key := keyOf(chain)
	if v.believed.has(key, v.now()) {
		return nil
	}
	valid, failure := v.verify(methodCertificate, chain)
	if failure == nil {
		v.believed.add(key, valid)
	}
	return failure
}

// verify returns the span of time for which chain, whose first certificate is the client's, is believed.
func (v *certificates) verify(method string, chain []*x509.Certificate) (span, *CheckError) {
	leaf, now := chain[0], v.now()
	if len(chain) > maxChain {
		return span{}, fail(method, ErrBadCertificate, "%d certificates are more than any chain needs; let the client send those up to its root", len(chain))
	}
	if !v.named(leaf) {
		shown := slices.Concat([]string{leaf.Subject.CommonName}, leaf.DNSNames)
		return span{}, fail(method, ErrWrongName, "the certificate is for %.100q, not for %s; if Concur has changed the name, add it to names",
			shown[:min(len(shown), 4)], strings.Join(v.names, " or ")) // a stranger may have made up thousands
	}
	opts := x509.VerifyOptions{Roots: v.roots, Intermediates: x509.NewCertPool(), CurrentTime: now, KeyUsages: v.usages}
	for _, c := range chain[1:] {
		opts.Intermediates.AddCert(c)
	}
	chains, err := leaf.Verify(opts)
	if err != nil && v.ignoreExpiry {
		chains, err = v.verifyInThePast(chain, opts, err)
	}
	if err != nil {
		return span{}, chainFailure(method, err, now)
	}
	if v.ignoreExpiry {
		return span{}, nil
	}
	return spanOf(chains[0]), nil
}

// verifyInThePast looks for a time at which nothing of the chain had expired. When there is one, the last such
// time is the end of some certificate; so the ends are tried, the latest first. It returns err when none will do.
func (v *certificates) verifyInThePast(chain []*x509.Certificate, opts x509.VerifyOptions, err error) ([][]*x509.Certificate, error) {
	var ends []time.Time
	for _, c := range slices.Concat(chain, v.anchors) {
		if c.NotAfter.Before(opts.CurrentTime) && !c.NotAfter.Before(chain[0].NotBefore) {
			ends = append(ends, c.NotAfter)
		}
	}
	slices.SortFunc(ends, func(a, b time.Time) int { return b.Compare(a) })
	for _, end := range slices.CompactFunc(ends, time.Time.Equal) {
		opts.CurrentTime = end
		chains, errThen := chain[0].Verify(opts)
		if errThen == nil {
			return chains, nil
		}
		// What is wrong then as well is the real reason.
		if invalid := (x509.CertificateInvalidError{}); !errors.As(errThen, &invalid) || invalid.Reason != x509.Expired {
			err = errThen
		}
	}
	return nil, err
}

// named tells whether leaf is made out to one of the names, as common name or DNS name, in any case.
func (v *certificates) named(leaf *x509.Certificate) bool {
	for _, name := range v.names {
		same := func(other string) bool { return strings.EqualFold(name, other) }
		if same(leaf.Subject.CommonName) || slices.ContainsFunc(leaf.DNSNames, same) {
			return true
		}
	}
	return false
}

// chainFailure says what is wrong with a chain, and what to do about it.
func chainFailure(method string, err error, now time.Time) *CheckError {
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		kind, do := ErrExpired, "rely on the signature (require: any), or set ignoreExpiry until Concur shows a new one"
		if invalid.Cert != nil && now.Before(invalid.Cert.NotBefore) {
			kind, do = ErrNotYetValid, "is the clock of this machine right?"
		}
		return fail(method, kind, "%s; %s", invalid.Detail, do)
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		return fail(method, ErrKeyUsage, "the certificate is not marked for TLS clients; if Concur's are made so by now, set ignoreKeyUsage")
	case errors.As(err, &unknown):
		return fail(method, ErrUnknownAuthority, "no trusted authority vouches for the certificate; if Concur has changed its authority, "+
			"add that one's certificate to caFile (the intermediate, if the client does not send it)")
	}
	return fail(method, ErrBadCertificate, "%v", err)
}

// spanOf returns when all of chain is valid.
func spanOf(chain []*x509.Certificate) span {
	s := span{from: chain[0].NotBefore, to: chain[0].NotAfter}
	for _, c := range chain[1:] {
		s.from = slices.MaxFunc([]time.Time{s.from, c.NotBefore}, time.Time.Compare)
		s.to = slices.MinFunc([]time.Time{s.to, c.NotAfter}, time.Time.Compare)
	}
	return s
}
