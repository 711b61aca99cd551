// Package sink finds out where a sink is. Most say it themselves: a URI is one,
// and the address of a Service follows from its name, so that no Service is ever
// read ([Of]). Any other object is taken for a Knative Addressable and read from
// the API server when it is needed ([Resolver.Find]); nothing is watched, because
// that would need a role for every kind there may be.
//
// What is found has to be fit for the receiver's routes file, which is read as a
// whole or not at all: an address that the receiver would refuse must not get
// there, or one object would keep all others from being served.
package sink

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
)

// Address is where a sink is.
type Address struct {
	// URI is absolute, http or https; empty: nowhere.
	URI string
	// CACerts are PEM certificates to trust there, beside the system's; empty: only those.
	CACerts string
}

// Usable reports whether the receiver would take the address.
func (a Address) Usable() bool {
	return checkURI(a.URI) == nil && (a.CACerts == "" || checkCACerts(a.CACerts) == nil)
}

// Sizes that the receiver's routes file and the schema of a status allow, in bytes.
const (
	maxURI     = 2048
	maxCACerts = 65536
)

// Where describes a sink: which one of which object.
type Where struct {
	// Namespace of the object that refers to it.
	Namespace string
	// Field is the path of the sink, such as "spec.sink", for messages.
	Field string
	// Crossing says that sinks in other namespaces may be referred to.
	Crossing bool
}

// Of returns the address of a sink as far as the spec says it. It is not found
// where an object has to be asked; the error says why a sink cannot be used.
func Of(s v1alpha1.Sink, w Where) (address Address, found bool, err error) {
	if err := w.admits(s.Ref); err != nil {
		return Address{}, false, err
	}
	if len(s.CABundle) > 0 {
		address.CACerts = string(s.CABundle)
		if err := checkCACerts(address.CACerts); err != nil {
			return Address{}, false, failure.New(failure.ErrCABundleInvalid,
				"%s.caBundle %v: give the base64 of one or more PEM certificates", w.Field, err)
		}
	}
	switch {
	case s.URI != "":
		address.URI = s.URI
	case s.Ref.IsService():
		address.URI = service(s, w.Namespace)
	default:
		return address, false, nil
	}
	if err := checkURI(address.URI); err != nil {
		return Address{}, false, failure.New(failure.ErrSinkInvalid, "%s cannot be used: %q %v", w.Field, address.URI, err)
	}
	return address, true, nil
}

// admits refuses a reference into another namespace, unless those are allowed.
func (w Where) admits(ref v1alpha1.SinkRef) error {
	if ref.Namespace == "" || ref.Namespace == w.Namespace || w.Crossing {
		return nil
	}
	return failure.New(failure.ErrSinkNotAllowed,
		"%s.ref names %s %s in namespace %q, and the manager runs without --cross-namespace-sinks: choose one in namespace %q, or have the flag set",
		w.Field, ref.Kind, ref.Name, ref.Namespace, w.Namespace)
}

// service is the address of a Service inside the cluster.
func service(s v1alpha1.Sink, namespace string) string {
	if s.Ref.Namespace != "" {
		namespace = s.Ref.Namespace
	}
	host := s.Ref.Name + "." + namespace + ".svc"
	if s.Port != 0 {
		host = net.JoinHostPort(host, strconv.Itoa(int(s.Port)))
	}
	return "http://" + host + s.Path
}

// problem is the end of a sentence that begins with what is wrong.
type problem string

func (p problem) Error() string { return string(p) }

// checkURI returns a problem with a URI that the receiver would refuse.
func checkURI(text string) error {
	u, err := url.Parse(text)
	switch {
	case len(text) > maxURI:
		return problem(fmt.Sprintf("is longer than %d bytes", maxURI))
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return problem("is not an absolute http or https URI")
	case u.User != nil:
		return problem("holds a user name or password")
	case u.Fragment != "":
		return problem("holds a fragment")
	case strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		return problem("holds characters that cannot be seen") // YAML, and so the routes file, cannot hold all of them
	}
	return checkPort(u.Port())
}

// checkPort returns a problem with a port that is no number of 16 bits; absent is fine.
func checkPort(port string) error {
	n, err := strconv.ParseUint(port, 10, 16)
	if port != "" && (err != nil || n == 0) {
		return problem("has a port that does not exist")
	}
	return nil
}

// checkCACerts returns a problem with certificates that the receiver would refuse.
func checkCACerts(text string) error {
	if len(text) > maxCACerts {
		return problem(fmt.Sprintf("is longer than %d bytes", maxCACerts))
	}
	count := 0
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return problem("holds PEM that is no certificate")
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return problem("holds a certificate that cannot be read")
		}
		count++
	}
	if count == 0 {
		return problem("holds no PEM certificate")
	}
	return nil
}
