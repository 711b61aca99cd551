package config_test

import (
	"errors"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/config"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/strictyaml"
)

var byNetip = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

// byDefault is what an empty file means.
func byDefault() *config.Config {
	return &config.Config{
		Events: config.Events{
			Listen: ":8443", MaxBodySize: 4 << 20, DrainQuietPeriod: 5 * time.Second, MaxConnections: 4096, MaxInFlight: 1024,
		},
		Proof: config.Proof{
			Require:           config.RequireAny,
			ClientCertificate: &config.ClientCertificate{Names: []string{"webhook.api.concursolutions.com"}},
			Signature:         &config.Signature{Algorithms: []string{"rsa-pkcs1v15-sha256", "rsa-pss-sha256"}},
		},
		Sinks: config.Sinks{DenyCIDRs: []netip.Prefix{
			netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"),
			netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("fe80::/10"),
		}},
		Journal: config.Journal{Path: "/etc/receiver/journal.db", MaxSize: 8 << 30, DedupeWindow: 96 * time.Hour, CalloutDedupeWindow: 96 * time.Hour, Retention: 168 * time.Hour},
	}
}

// sample is what testdata/config.yaml means.
func sample() *config.Config {
	c := byDefault()
	c.PublicURL = &url.URL{Scheme: "https", Host: "events.example.com"}
	pair := config.TLS{CertFile: "/etc/receiver/tls.crt", KeyFile: "/etc/receiver/tls.key"}
	c.Events.TLS = &pair
	c.Admin = &config.Admin{Listen: ":9443", TLS: &pair, TokenFile: "/etc/receiver/admin-token"}
	c.Proof.ClientCertificate.CAFile = "/etc/receiver/ca.pem"
	c.Proof.ClientCertificate.Forwarded = &config.Forwarded{
		Header: "X-Forwarded-Client-Cert", TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}
	c.Proof.Signature.PublicKeyFiles = []string{"/etc/receiver/concur.pem"}
	return c
}

func TestSample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := config.Parse(text, "/etc/receiver")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample(), got, byNetip); diff != "" {
		t.Errorf("Parse(sample) (-want +got):\n%s", diff)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		yaml   string
		change func(c *config.Config)
	}{
		"Empty": {
			reason: "Nothing said: every default, both proofs with SAP's names and keys, and no admin port.",
			change: func(*config.Config) {},
		},
		"Nulls": {
			reason: "A template that renders null means absence.",
			yaml:   "admin:\nproof: ~\nsinks: {denyCIDRs: null}\njournal: {bbolt: }\nevents: {tls: null}\n",
			change: func(*config.Config) {},
		},
		"OneProof": {
			reason: "Whoever names one check wants that one: a second would widen the door.",
			yaml:   "proof: {signature: {}}",
			change: func(c *config.Config) { c.Proof.ClientCertificate = nil },
		},
		"NoDeniedRanges": {
			reason: "An empty list is said on purpose, as for a try on one machine.",
			yaml:   "sinks: {denyCIDRs: [], caFile: /etc/ca.pem}",
			change: func(c *config.Config) { c.Sinks = config.Sinks{DenyCIDRs: []netip.Prefix{}, CAFile: "/etc/ca.pem"} },
		},
		"HeaderOfNginx": {
			reason: "Names of headers know no case.",
			yaml:   "proof: {clientCertificate: {forwarded: {header: SSL-Client-Cert, trustedProxies: [10.0.0.0/8]}}}",
			change: func(c *config.Config) {
				c.Proof.Signature = nil
				c.Proof.ClientCertificate.Forwarded = &config.Forwarded{
					Header: "ssl-client-cert", TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
				}
			},
		},
		"PublicURLOnThisMachine": {
			reason: "A try needs no certificate.",
			yaml:   "publicURL: http://127.0.0.1:8080/",
			change: func(c *config.Config) { c.PublicURL = &url.URL{Scheme: "http", Host: "127.0.0.1:8080"} },
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := byDefault()
			tc.change(want)
			got, err := config.Parse([]byte(tc.yaml), "/etc/receiver")
			if err != nil {
				t.Fatalf("%s\n%v", tc.reason, err)
			}
			if diff := cmp.Diff(want, got, byNetip); diff != "" {
				t.Errorf("%s\nParse (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// refusals are files with something wrong in them, and how the problems begin.
var refusals = map[string]struct {
	reason string
	yaml   string
	want   []string
}{
	"Misspelt": {
		reason: "An ignored key of the proof could leave the door open.",
		yaml:   "proof:\n  signatures: {}\n  require: some\n",
		want:   []string{"line 2: proof.signatures: no such key; the keys here are require, clientCertificate, signature", "line 3: proof.require: must be any or all"},
	},
	"Events": {
		reason: "What cannot be meant is refused before it closes the door.",
		yaml:   "publicURL: http://events.example.com\nevents:\n  listen: 8443\n  tls: {certFile: a}\n  maxBodySize: 4MiB\n  drainQuietPeriod: 5\n  maxConnections: 0\n  maxInFlight: many\n",
		want: []string{
			"line 1: publicURL: must be https", "line 3: events.listen: must be text", "line 4: events.tls.keyFile: is missing",
			"line 5: events.maxBodySize: must be a size", "line 6: events.drainQuietPeriod: must be a duration",
			"line 7: events.maxConnections: must be from 1", "line 8: events.maxInFlight: must be a whole number",
		},
	},
	"PublicPort": {
		reason: "There are 65535 ports.",
		yaml:   "publicURL: https://events.example.com:65536\n",
		want:   []string{"line 1: publicURL: must be https and a host"},
	},
	"PublicQuery": {
		reason: "What the receiver adds would be a query.",
		yaml:   "publicURL: 'https://events.example.com?'\n",
		want:   []string{"line 1: publicURL: must be https and a host"},
	},
	"PublicHash": {
		reason: "A fragment is never sent.",
		yaml:   "publicURL: 'https://events.example.com#events'\n",
		want:   []string{"line 1: publicURL: must be https and a host"},
	},
	"PublicFragment": {
		reason: "What the receiver adds would be a fragment.",
		yaml:   "publicURL: 'https://events.example.com#'\n",
		want:   []string{"line 1: publicURL: must be https and a host"},
	},
	"Bounds": {
		reason: "Too much and too little are slips of the pen.",
		yaml:   "events: {maxBodySize: 1Gi, drainQuietPeriod: 1h, listen: nowhere}\njournal: {bbolt: {path: '', maxSize: 1Mi, dedupeWindow: 0s, calloutDedupeWindow: 59s, retention: -1h}}\n",
		want: []string{
			"line 1: events.listen: must be an address", "line 1: events.maxBodySize: must be from", "line 1: events.drainQuietPeriod: must be from",
			"line 2: journal.bbolt.path: must not be empty", "line 2: journal.bbolt.maxSize: must be from",
			"line 2: journal.bbolt.dedupeWindow: must be from",
			"line 2: journal.bbolt.calloutDedupeWindow: must be from", "line 2: journal.bbolt.retention: must be from",
		},
	},
	"NoToken": {
		reason: "Whoever reaches the admin port could read events.",
		yaml:   "admin: {listen: '127.0.0.1:9443'}\n",
		want:   []string{"line 1: admin.tokenFile: is missing"},
	},
	"JetStream": {
		reason: "Falling back to the other store would surprise.",
		yaml:   "journal:\n  jetstream: {servers: [nats://a]}\n",
		want:   []string{"line 2: journal.jetstream: is not in this version"},
	},
	"Proof": {
		reason: "A proof that nobody, or everybody, passes is a mistake.",
		yaml: "proof:\n  clientCertificate:\n    names: []\n    forwarded:\n      trustedProxies: [0.0.0.0/0, 10.0.0.1/8]\n" +
			"  signature:\n    algorithms: [rsa-sha1]\n    publicKeyFiles: ['']\n",
		want: []string{
			"line 3: proof.clientCertificate.names: must not be empty", "line 5: proof.clientCertificate.forwarded.trustedProxies[1]: has bits set behind its length: write 10.0.0.0/8",
			"line 5: proof.clientCertificate.forwarded.header: must be one of",
			"line 5: proof.clientCertificate.forwarded.trustedProxies[0]: must not be the whole internet",
			"line 7: proof.signature.algorithms[0]: must be one of", "line 8: proof.signature.publicKeyFiles[0]: must be the path",
		},
	},
	"CertificateNeverSeen": {
		reason: "Every event would be refused, for the 72 hours that ESS retries, and then be lost.",
		yaml:   "proof: {require: all}\n",
		want:   []string{"line 1: proof.clientCertificate: can never succeed"},
	},
	"EmptyAlgorithms": {
		reason: "An empty list would refuse every signature.",
		yaml:   "proof: {signature: {algorithms: []}, clientCertificate: {names: ['*.concursolutions.com']}}\n",
		want:   []string{"line 1: proof.clientCertificate.names[0]: must be one name in full", "line 1: proof.signature.algorithms: must not be empty"},
	},
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range refusals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := config.Parse([]byte(tc.yaml), "/etc/receiver")
			var e *strictyaml.Error
			if c != nil || !errors.As(err, &e) {
				t.Fatalf("%s\nParse = %v, %v; want all problems", tc.reason, c, err)
			}
			var got []string
			for i, p := range e.Problems {
				text := p.String()
				if i < len(tc.want) && strings.HasPrefix(text, tc.want[i]) {
					text = tc.want[i]
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nproblems (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	text, err := os.ReadFile("testdata/config.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(""))
	f.Add([]byte("events: {maxBodySize: 1e30, drainQuietPeriod: -9223372036854775808ns}\nadmin: {tokenFile: t}\n"))
	for _, refusal := range refusals {
		f.Add([]byte(refusal.yaml))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := config.Parse(data, "/etc/receiver")
		if (c == nil) == (err == nil) {
			t.Fatalf("Parse = %v, %v; want one of the two", c, err)
		}
		if c != nil && (c.Events.MaxBodySize <= 0 || c.Journal.MaxSize <= 0 || c.Proof.ClientCertificate == nil && c.Proof.Signature == nil) {
			t.Errorf("accepted, but cannot be worked with: %+v", c)
		}
	})
}
