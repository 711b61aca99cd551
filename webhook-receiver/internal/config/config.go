// Package config reads the receiver's own file, config.yaml: where it listens,
// what proves that an event is Concur's, and where events are kept. Whom it takes
// events for stands in the routes file, which package route reads.
//
// [Parse] does not touch the files that a configuration names. It returns their
// paths, made absolute, and the program reads and watches them.
package config

import (
	"net/netip"
	"net/url"
	"time"
)

// Config is what config.yaml says, with every default filled in.
type Config struct {
	// PublicURL is where Concur reaches the receiver; nil: not given.
	PublicURL *url.URL
	Events    Events
	// Admin is nil when there is no admin port.
	Admin   *Admin
	Proof   Proof
	Sinks   Sinks
	Journal Journal
}

// Events is the port that Concur posts to.
type Events struct {
	// Listen is an address such as ":8443".
	Listen string
	// TLS is nil when a proxy in front ends it.
	TLS *TLS
	// MaxBodySize is in bytes.
	MaxBodySize int64
	// DrainQuietPeriod is how long the receiver serves on after it has said that it is not ready.
	DrainQuietPeriod time.Duration
	// MaxConnections is how many may be open at once.
	MaxConnections int
	// MaxInFlight is how many requests may be worked on at once.
	MaxInFlight int
}

// TLS names a certificate chain and its key, both PEM.
type TLS struct{ CertFile, KeyFile string }

// Admin is the port for metrics, health, statistics and the event API.
type Admin struct {
	Listen string
	// TLS is nil for plain HTTP.
	TLS *TLS
	// TokenFile holds the bearer tokens, one per line.
	TokenFile string
}

// Require says how many of the checks have to succeed.
type Require string

// The policies.
const (
	RequireAny Require = "any"
	RequireAll Require = "all"
)

// Proof says what proves that an event is Concur's.
type Proof struct {
	Require Require
	// ClientCertificate is nil when certificates are not looked at.
	ClientCertificate *ClientCertificate
	// Signature is nil when signatures are not looked at.
	Signature *Signature
}

// ClientCertificate is the check of the certificate that Concur's webhook client shows.
type ClientCertificate struct {
	// CAFile holds the certificates to trust; empty: the system's.
	CAFile string
	// Names are those that count as Concur's.
	Names []string
	// IgnoreExpiry takes certificates that have ended, or not begun.
	IgnoreExpiry bool
	// IgnoreKeyUsage takes certificates that are not made for clients.
	IgnoreKeyUsage bool
	// Forwarded is nil when no proxy passes the certificate on.
	Forwarded *Forwarded
}

// Forwarded says which proxies pass the client's certificate on, and how.
type Forwarded struct {
	// Header is one of Headers.
	Header         string
	TrustedProxies []netip.Prefix
}

// Signature is the check of the Concur-Signature header.
type Signature struct {
	// PublicKeyFiles hold the keys to trust; none: those that SAP Concur has published.
	PublicKeyFiles []string
	// Algorithms are some of those of Algorithms.
	Algorithms []string
}

// Sinks says how the receiver reaches destinations.
type Sinks struct {
	// DenyCIDRs are the addresses that no sink may be at.
	DenyCIDRs []netip.Prefix
	// CAFile holds certificates to trust beside the system's; empty: those only.
	CAFile string
}

// Journal is where events are kept.
type Journal struct {
	Path string
	// MaxSize is in bytes.
	MaxSize int64
	// DedupeWindow is for events of ESS, CalloutDedupeWindow for notifications of callouts.
	DedupeWindow        time.Duration
	CalloutDedupeWindow time.Duration
	Retention           time.Duration
}

// Headers lists the headers in which proxies pass a client certificate on: Envoy's and ingress-nginx's.
func Headers() []string { return []string{"X-Forwarded-Client-Cert", "ssl-client-cert"} }

// Algorithms lists the signature algorithms, and all of them are on by default: SAP Concur does not say
// which one it uses.
func Algorithms() []string { return []string{"rsa-pkcs1v15-sha256", "rsa-pss-sha256"} }

// DefaultName is the name in Concur's client certificate (SAP Concur, Event Subscription Service v4).
const DefaultName = "webhook.api.concursolutions.com"
