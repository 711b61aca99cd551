// Package verify proves that a request comes from the Event Subscription Service. It is pure: keys and
// certificates come in as bytes, a verdict goes out, and nothing is read, dialled or logged.
//
// Two things can prove it (SAP Concur, Event Subscription Service v4):
//
//   - A client certificate for webhook.api.concursolutions.com: shown in the TLS handshake, or forwarded in a
//     header by a proxy that ended TLS and whose address is known.
//   - The header Concur-Signature: a signature over the raw body by a published RSA key.
//
// A [Policy] holds what to believe and never changes; when files change, a new one takes its place. [New] makes
// one, [Policy.Prove] asks it. Every check that is on is made for every request, also when another has proved it
// already: a key that has gone stale must show in the metrics while the certificate still works, not after.
//
// A signature covers the body alone: no time, no path. Whoever has seen a delivery can send it again, which is why
// the receiver knows the events it has stored. Whoever runs a listed proxy can claim any certificate.
package verify

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Requirement says how many of the methods must prove a request.
type Requirement string

// The requirements.
const (
	Any Requirement = "any"
	All Requirement = "all"
)

// Config is what to believe. A method whose section is nil is off; one must be on.
type Config struct {
	// Require is Any when empty.
	Require     Requirement
	Certificate *Certificate
	Signature   *Signature
	// Now is the clock that certificates are checked against; nil: the system's.
	Now func() time.Time
	// Registerer gets the metrics; nil: they are counted for nobody. Policies may share one.
	Registerer prometheus.Registerer
}

// Policy proves requests. It may be used from many goroutines at once.
type Policy struct {
	require Requirement
	checks  []check
}

// A check looks for one kind of proof. It returns what proved the request, or why nothing did, and has counted it.
type check func(r *http.Request, body []byte) (proof string, failure *CheckError)

// New returns the policy of c. The error says which setting is wrong, and how to right it.
func New(c Config) (*Policy, error) {
	c.Require = cmp.Or(c.Require, Any)
	if c.Require != Any && c.Require != All {
		return nil, fmt.Errorf("require: %q is neither %q nor %q", c.Require, Any, All)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	checks, err := newChecks(c)
	if err != nil {
		return nil, err
	}
	if len(checks) == 0 {
		return nil, errors.New("neither clientCertificate nor signature is on, so nobody could prove anything: turn on one of them")
	}
	return &Policy{require: c.Require, checks: checks}, nil
}

func newChecks(c Config) ([]check, error) {
	m, err := newMetrics(c.Registerer)
	if err != nil {
		return nil, err
	}
	var checks []check
	if c.Certificate != nil {
		certificates, err := newCertificates(*c.Certificate, c.Now, m)
		if err != nil {
			return nil, fmt.Errorf("clientCertificate: %w", err)
		}
		checks = append(checks, certificates.check)
	}
	if c.Signature != nil {
		signatures, err := newSignatures(*c.Signature, m)
		if err != nil {
			return nil, fmt.Errorf("signature: %w", err)
		}
		checks = append(checks, signatures.check)
	}
	return checks, nil
}

// Prove returns what proves that r, whose body has been read, comes from Concur: "certificate", "forwarded" or
// "signature:" and the name of the key, and several of them joined by "+". The error is an *Error.
func (p *Policy) Prove(r *http.Request, body []byte) (string, error) {
	proofs := make([]string, 0, len(p.checks))
	var failures []*CheckError
	for _, check := range p.checks {
		proof, failure := check(r, body)
		if failure != nil {
			failures = append(failures, failure)
			continue
		}
		proofs = append(proofs, proof)
	}
	if len(proofs) == 0 || p.require == All && len(failures) > 0 {
		return "", &Error{Failures: failures}
	}
	return strings.Join(proofs, "+"), nil
}
