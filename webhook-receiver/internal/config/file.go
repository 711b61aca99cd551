package config

import (
	"errors"
	"net/netip"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/strictyaml"
)

// file is config.yaml as it is written.
type file struct {
	PublicURL string  `yaml:"publicURL"`
	Events    events  `yaml:"events"`
	Admin     *admin  `yaml:"admin"`
	Proof     proof   `yaml:"proof"`
	Sinks     sinks   `yaml:"sinks"`
	Journal   journal `yaml:"journal"`
}

type events struct {
	Listen           string    `yaml:"listen"`
	TLS              *tlsFiles `yaml:"tls"`
	MaxBodySize      size      `yaml:"maxBodySize"`
	DrainQuietPeriod span      `yaml:"drainQuietPeriod"`
	MaxConnections   int       `yaml:"maxConnections"`
	MaxInFlight      int       `yaml:"maxInFlight"`
}

type tlsFiles struct {
	CertFile string `yaml:"certFile"`
	KeyFile  string `yaml:"keyFile"`
}

type admin struct {
	Listen    string    `yaml:"listen"`
	TLS       *tlsFiles `yaml:"tls"`
	TokenFile string    `yaml:"tokenFile"`
}

type proof struct {
	Require           string             `yaml:"require"`
	ClientCertificate *clientCertificate `yaml:"clientCertificate"`
	Signature         *signature         `yaml:"signature"`
}

type clientCertificate struct {
	CAFile         string     `yaml:"caFile"`
	Names          []string   `yaml:"names"`
	IgnoreExpiry   bool       `yaml:"ignoreExpiry"`
	IgnoreKeyUsage bool       `yaml:"ignoreKeyUsage"`
	Forwarded      *forwarded `yaml:"forwarded"`
}

type forwarded struct {
	Header         string `yaml:"header"`
	TrustedProxies []cidr `yaml:"trustedProxies"`
}

type signature struct {
	PublicKeyFiles []string `yaml:"publicKeyFiles"`
	Algorithms     []string `yaml:"algorithms"`
}

type sinks struct {
	DenyCIDRs []cidr `yaml:"denyCIDRs"`
	CAFile    string `yaml:"caFile"`
}

type journal struct {
	Bbolt     bbolt              `yaml:"bbolt"`
	JetStream *strictyaml.Unread `yaml:"jetstream"`
}

type bbolt struct {
	Path                string `yaml:"path"`
	MaxSize             size   `yaml:"maxSize"`
	DedupeWindow        span   `yaml:"dedupeWindow"`
	CalloutDedupeWindow span   `yaml:"calloutDedupeWindow"`
	Retention           span   `yaml:"retention"`
}

// defaults is what holds for keys that are absent. The lists within proof follow in defaultProof.
func defaults() file {
	return file{
		Events: events{
			Listen: ":8443", MaxBodySize: 4 << 20, DrainQuietPeriod: span(5 * time.Second),
			MaxConnections: 4096, MaxInFlight: 1024,
		},
		Proof: proof{Require: string(RequireAny)},
		Sinks: sinks{DenyCIDRs: []cidr{prefix("127.0.0.0/8"), prefix("169.254.0.0/16"), prefix("::1/128"), prefix("fe80::/10")}},
		Journal: journal{Bbolt: bbolt{
			Path: "journal.db", MaxSize: 8 << 30, DedupeWindow: span(96 * time.Hour), CalloutDedupeWindow: span(96 * time.Hour),
			Retention: span(168 * time.Hour),
		}},
	}
}

// Keys returns the path of every key of config.yaml; documentation is held to it.
func Keys() []string { return strictyaml.Keys(file{}) }

// size is a number of bytes, written as a Kubernetes quantity.
type size int64

func (s *size) UnmarshalText(text []byte) error {
	q, err := resource.ParseQuantity(string(text))
	if err != nil {
		return errors.New("must be a size as Kubernetes writes it, such as 4Mi or 8Gi")
	}
	value, exact := q.AsInt64()
	if !exact {
		return errors.New("must be a whole number of bytes, and less than 8Ei")
	}
	*s = size(value)
	return nil
}

// span is a duration, written as Go does.
type span time.Duration

func (s *span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil {
		return errors.New("must be a duration such as 5s, 10m or 96h")
	}
	*s = span(d)
	return nil
}

// cidr is a range of addresses.
type cidr struct{ netip.Prefix }

func (c *cidr) UnmarshalText(text []byte) error {
	wrong := errors.New("must be a range of addresses such as 10.0.0.0/8 or fe80::/10")
	p, err := netip.ParsePrefix(string(text))
	if err != nil {
		return wrong
	}
	if p.Masked() != p {
		return errors.New("has bits set behind its length: write " + p.Masked().String())
	}
	c.Prefix = p
	return nil
}

func prefix(text string) cidr { return cidr{netip.MustParsePrefix(text)} }
