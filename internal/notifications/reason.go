package notifications

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"regexp"
)

// quoted is what net/http repeats of an answer that is none. It may be anything.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// Reason says why an HTTP exchange got no whole answer, in words that are the same the next time: without ports that
// the system chose, the time of day, or what the other side sent.
func Reason(err error) string {
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return "not in time"
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return "no such host"
		}
		return "the name of the host cannot be looked up"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return "the certificate has expired or is not yet valid"
	}
	for op, ok := errors.AsType[*net.OpError](err); ok; op, ok = errors.AsType[*net.OpError](err) {
		err = op.Err
	}
	if untrusted, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		err = untrusted.Err
	}
	return quoted.ReplaceAllString(err.Error(), `"…"`)
}
