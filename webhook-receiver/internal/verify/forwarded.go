package verify

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"net/netip"
	"slices"
)

// Forwarded says which proxies pass on the certificate of their client, and how. They must have asked for it in
// the handshake, and must replace the header if the client sent one: certificates are public, so the header of
// anybody else proves nothing.
type Forwarded struct {
	// Header is X-Forwarded-Client-Cert when empty. Its form is told by its content: that header as Envoy writes
	// it, with Cert or Chain; or PEM encoded as in URLs, as ingress-nginx writes ssl-client-cert.
	Header string
	// TrustedProxies are the addresses from which the header is believed; at least one.
	TrustedProxies []netip.Prefix
}

// ForwardedHeader is what Envoy calls the header.
const ForwardedHeader = "X-Forwarded-Client-Cert"

func (f Forwarded) withDefaults() (Forwarded, error) {
	if len(f.TrustedProxies) == 0 {
		return f, errors.New("trustedProxies: list the addresses of your proxies; a certificate forwarded by anybody else proves nothing")
	}
	f.TrustedProxies = slices.Clone(f.TrustedProxies)
	for i, p := range f.TrustedProxies {
		if !p.IsValid() {
			return f, errors.New("trustedProxies: one of the ranges is empty")
		}
		f.TrustedProxies[i] = p.Masked()
	}
	if f.Header == "" {
		f.Header = ForwardedHeader
	}
	f.Header = http.CanonicalHeaderKey(f.Header)
	return f, nil
}

func (v *certificates) checkForwarded(r *http.Request) *CheckError {
	// A proxy that appends puts its own line last.
	lines := r.Header.Values(v.forwarded.Header)
	if len(lines) == 0 || lines[len(lines)-1] == "" {
		return fail(methodForwarded, ErrAbsent, "there is no header %s", v.forwarded.Header)
	}
	value := lines[len(lines)-1]
	if !v.forwarded.trusts(r.RemoteAddr) {
		return fail(methodForwarded, ErrUntrustedProxy, "the header %s was sent from %s; if that is your proxy, add its address to trustedProxies, "+
			"if not, somebody tries to pass for Concur", v.forwarded.Header, r.RemoteAddr)
	}
	key := key(sha256.Sum256([]byte(value)))
	if v.believed.has(key, v.now()) {
		return nil
	}
	chain, err := parseForwarded(value)
	if err != nil {
		kind := ErrMalformed
		if errors.Is(err, errIncomplete) {
			kind = ErrIncomplete
		}
		return fail(methodForwarded, kind, "the header %s %v", v.forwarded.Header, err)
	}
	valid, failure := v.verify(methodForwarded, chain)
	if failure == nil {
		v.believed.add(key, valid)
	}
	return failure
}

// trusts tells whether remote, as in http.Request, is a listed proxy. A Unix socket has no address, so it is none.
func (f *Forwarded) trusts(remote string) bool {
	addr, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	ip := addr.Addr().Unmap().WithZone("")
	return slices.ContainsFunc(f.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(ip) })
}
