package config

import (
	"cmp"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/strictyaml"
)

// The bounds of what a file may say: outside them it must be a slip of the pen.
const (
	minBodySize = 1 << 10
	maxBodySize = 64 << 20
	maxQuiet    = 5 * time.Minute
	minJournal  = 16 << 20
	minKept     = time.Minute
	maxKept     = 366 * 24 * time.Hour
	maxCount    = 1_000_000
)

// Parse reads config.yaml. Paths in it are relative to dir, the folder of the file. An empty file is one
// with every default. The error is a [*strictyaml.Error] with everything that is wrong.
func Parse(data []byte, dir string) (*Config, error) {
	f := defaults()
	p := &parser{Document: strictyaml.Decode(data, &f), dir: dir}
	c := &Config{
		PublicURL: p.publicURL(f.PublicURL),
		Events:    p.events(f.Events),
		Admin:     p.admin(f.Admin),
		Proof:     p.proof(f.Proof),
		Sinks:     Sinks{DenyCIDRs: prefixes(f.Sinks.DenyCIDRs), CAFile: p.path("sinks.caFile", f.Sinks.CAFile)},
		Journal:   p.journal(f.Journal),
	}
	p.visible(c)
	if err := p.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// parser turns a file into a configuration, and refuses what cannot be one.
type parser struct {
	*strictyaml.Document
	dir string
}

func (p *parser) publicURL(text string) *url.URL {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.String() != text || !public(u) || strings.Trim(u.Path, "/") != "" || u.RawQuery+u.Fragment != "" || u.ForceQuery {
		p.refuse("publicURL", "must be https and a host, such as https://events.example.com: Concur calls nothing else, and the receiver adds the paths")
		return nil
	}
	u.Path = ""
	return u
}

// public reports whether Concur could call a URL; on this machine http will do, for a try.
func public(u *url.URL) bool {
	ip, err := netip.ParseAddr(u.Hostname())
	local := u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
	port, err := strconv.ParseUint(cmp.Or(u.Port(), "443"), 10, 16)
	return (u.Scheme == "https" || u.Scheme == "http" && local) && u.Hostname() != "" && u.User == nil && err == nil && port > 0
}

func (p *parser) events(e events) Events {
	p.listen("events.listen", e.Listen)
	p.within("events.maxBodySize", int64(e.MaxBodySize), minBodySize, maxBodySize, "must be from 1Ki to 64Mi")
	p.within("events.drainQuietPeriod", int64(e.DrainQuietPeriod), 0, int64(maxQuiet), "must be from 0s to 5m")
	p.within("events.maxConnections", int64(e.MaxConnections), 1, maxCount, "must be from 1 to 1000000")
	p.within("events.maxInFlight", int64(e.MaxInFlight), 1, maxCount, "must be from 1 to 1000000")
	return Events{
		Listen: e.Listen, TLS: p.tls("events.tls", e.TLS), MaxBodySize: int64(e.MaxBodySize),
		DrainQuietPeriod: time.Duration(e.DrainQuietPeriod), MaxConnections: e.MaxConnections, MaxInFlight: e.MaxInFlight,
	}
}

func (p *parser) admin(a *admin) *Admin {
	if a == nil {
		return nil
	}
	if !p.Has("admin.listen") {
		a.Listen = ":9443"
	}
	p.listen("admin.listen", a.Listen)
	if a.TokenFile == "" {
		p.refuse("admin.tokenFile", "is missing: name a file that holds a token, because whoever reaches this port could read events")
	}
	return &Admin{Listen: a.Listen, TLS: p.tls("admin.tls", a.TLS), TokenFile: p.path("admin.tokenFile", a.TokenFile)}
}

func (p *parser) tls(at string, t *tlsFiles) *TLS {
	if t == nil {
		return nil
	}
	const both = "is missing: name both, a certificate and its key, or leave tls out where a proxy in front ends it"
	if t.CertFile == "" {
		p.refuse(at+".certFile", both)
	}
	if t.KeyFile == "" {
		p.refuse(at+".keyFile", both)
	}
	return &TLS{CertFile: p.path(at+".certFile", t.CertFile), KeyFile: p.path(at+".keyFile", t.KeyFile)}
}

func (p *parser) journal(j journal) Journal {
	if p.Has("journal.jetstream") {
		p.refuse("journal.jetstream", "is not in this version: use journal.bbolt, which is also the default")
	}
	b := j.Bbolt
	if b.Path == "" {
		p.refuse("journal.bbolt.path", "must not be empty: leave it out for journal.db beside this file")
	}
	p.within("journal.bbolt.maxSize", int64(b.MaxSize), minJournal, 1<<50, "must be from 16Mi to 1Pi")
	kept := "must be from 1m to 8784h"
	p.within("journal.bbolt.dedupeWindow", int64(b.DedupeWindow), int64(minKept), int64(maxKept), kept)
	p.within("journal.bbolt.calloutDedupeWindow", int64(b.CalloutDedupeWindow), int64(minKept), int64(maxKept), kept)
	p.within("journal.bbolt.retention", int64(b.Retention), int64(minKept), int64(maxKept), kept)
	return Journal{
		Path: p.path("journal.bbolt.path", b.Path), MaxSize: int64(b.MaxSize),
		DedupeWindow: time.Duration(b.DedupeWindow), CalloutDedupeWindow: time.Duration(b.CalloutDedupeWindow),
		Retention: time.Duration(b.Retention),
	}
}

func (p *parser) within(at string, value, least, most int64, message string) {
	if value < least || value > most {
		p.refuse(at, message)
	}
}

// listen checks an address to listen on: a host, which may be empty, and a port by number.
func (p *parser) listen(at, address string) {
	host, port, err := net.SplitHostPort(address)
	if _, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil || strings.ContainsAny(host, " /") {
		p.refuse(at, "must be an address such as :8443 or 127.0.0.1:8443")
	}
}

// path makes a path absolute; empty stays empty.
func (p *parser) path(at, path string) string {
	if strings.ContainsRune(path, 0) {
		p.refuse(at, "must be the path of a file")
	}
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(p.dir, path)
}

func prefixes(all []cidr) []netip.Prefix {
	out := make([]netip.Prefix, 0, len(all))
	for _, c := range all {
		out = append(out, c.Prefix)
	}
	return out
}

// chosen checks that each word of a list is one of those allowed.
func (p *parser) chosen(at string, words, allowed []string) {
	for i, word := range words {
		if !slices.Contains(allowed, word) {
			p.refuse(index(at, i), "must be one of "+strings.Join(allowed, ", "))
		}
	}
}

// refuse notes a problem, unless there is one already at that very place.
func (p *parser) refuse(at, message string) {
	if !p.Wrong(at) {
		p.Refuse(at, "%s", message)
	}
}
