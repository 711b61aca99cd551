package app

import "crypto/x509"

// publicURL is where Concur reaches the receiver; empty: nobody has said.
func (l *live) publicURL() string {
	if u := l.config.Load().PublicURL; u != nil {
		return u.String()
	}
	return ""
}

// connectors tells whether there is anybody to advise.
func (l *live) connectors() bool { return len(l.routes.Load().Connectors()) > 0 }

// adviseOfURL warns of connectors that work, but whose events do not say by which receiver they came.
func (l *live) adviseOfURL() {
	if c := l.config.Load(); c != nil && c.PublicURL == nil && l.connectors() {
		l.log.Warn("there are connectors, but no publicURL: the sources of their events are relative, such as /connectors/finance/reports; give publicURL in the configuration")
	}
}

// adviseOfCertificate warns of a certificate that Concur's callout may not take. The suites that SAP Concur names for
// callouts with TLS 1.2 are all of RSA (SAP Concur, platform security, callouts).
func (l *live) adviseOfCertificate() {
	identity := l.events.Load()
	if identity == nil || !l.connectors() {
		return
	}
	for _, c := range identity.Certificates {
		if c.Leaf.PublicKeyAlgorithm == x509.RSA {
			return
		}
	}
	l.log.Warn("there are connectors, but the certificate of the events port has no RSA key: callouts with TLS 1.2 need one, for SAP Concur names only suites with RSA",
		"file", eventsTLSSource)
}
