package config

import (
	"slices"
	"strconv"
	"strings"
)

// proof reads what proves an event. A file that names neither check gets both; one that names a check
// gets that one, because with "any" each further check makes the door wider.
func (p *parser) proof(f proof) Proof {
	if f.Require != string(RequireAny) && f.Require != string(RequireAll) {
		p.refuse("proof.require", "must be any or all")
	}
	if f.ClientCertificate == nil && f.Signature == nil {
		f.ClientCertificate, f.Signature = &clientCertificate{}, &signature{}
	}
	return Proof{
		Require:           Require(f.Require),
		ClientCertificate: p.clientCertificate("proof.clientCertificate", f.ClientCertificate),
		Signature:         p.signature("proof.signature", f.Signature),
	}
}

func (p *parser) clientCertificate(at string, c *clientCertificate) *ClientCertificate {
	if c == nil {
		return nil
	}
	if !p.Has(at + ".names") {
		c.Names = []string{DefaultName}
	}
	if len(c.Names) == 0 {
		p.refuse(at+".names", "must not be empty, or no certificate would do: leave it out for "+DefaultName)
	}
	for i, name := range c.Names {
		if name == "" || strings.ContainsAny(name, " *") {
			p.refuse(index(at+".names", i), "must be one name in full: it is compared with those in the certificate")
		}
	}
	return &ClientCertificate{
		CAFile: p.path(at+".caFile", c.CAFile), Names: c.Names, IgnoreExpiry: c.IgnoreExpiry,
		IgnoreKeyUsage: c.IgnoreKeyUsage, Forwarded: p.forwarded(at+".forwarded", c.Forwarded),
	}
}

func (p *parser) forwarded(at string, f *forwarded) *Forwarded {
	if f == nil {
		return nil
	}
	header := slices.IndexFunc(Headers(), func(h string) bool { return strings.EqualFold(h, f.Header) })
	if header < 0 {
		p.refuse(at+".header", "must be one of "+strings.Join(Headers(), ", "))
		header = 0
	}
	if len(f.TrustedProxies) == 0 {
		p.refuse(at+".trustedProxies", "is missing: list the addresses of the proxies, because anybody else can send this header")
	}
	for i, proxies := range f.TrustedProxies {
		if proxies.IsValid() && proxies.Bits() == 0 {
			p.refuse(index(at+".trustedProxies", i), "must not be the whole internet: anybody could claim to be Concur")
		}
	}
	return &Forwarded{Header: Headers()[header], TrustedProxies: prefixes(f.TrustedProxies)}
}

func (p *parser) signature(at string, s *signature) *Signature {
	if s == nil {
		return nil
	}
	if !p.Has(at + ".algorithms") {
		s.Algorithms = Algorithms()
	}
	if len(s.Algorithms) == 0 {
		p.refuse(at+".algorithms", "must not be empty, or no signature would do: leave it out for all")
	}
	p.chosen(at+".algorithms", s.Algorithms, Algorithms())
	out := &Signature{Algorithms: s.Algorithms}
	for i, file := range s.PublicKeyFiles {
		if file == "" {
			p.refuse(index(at+".publicKeyFiles", i), "must be the path of a file")
		}
		out.PublicKeyFiles = append(out.PublicKeyFiles, p.path(index(at+".publicKeyFiles", i), file))
	}
	return out
}

// visible refuses to demand a certificate that the receiver could never see.
func (p *parser) visible(c *Config) {
	cert := c.Proof.ClientCertificate
	if cert == nil || c.Events.TLS != nil || p.Has("events.tls") || cert.Forwarded != nil || p.Has("proof.clientCertificate.forwarded") {
		return
	}
	if c.Proof.Require == RequireAll || c.Proof.Signature == nil {
		p.refuse("proof.clientCertificate", "can never succeed: without events.tls the certificate ends at the proxy, so say with forwarded how it comes here, or do not require it")
	}
}

func index(at string, i int) string { return at + "[" + strconv.Itoa(i) + "]" }
