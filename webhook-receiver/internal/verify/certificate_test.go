package verify_test

import (
	"crypto/x509"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/verify"
)

// Certificates as Concur published them, in their time and after it.
func TestPublishedCertificates(t *testing.T) {
	t.Parallel()
	root := file(t, "certs", "digicert-global-root-g2.pem")
	intermediate := file(t, "certs", "digicert-global-g2-tls-rsa-sha256-2020-ca1.pem")
	for test, tc := range map[string]struct {
		reason string
		shown  string
		config verify.Certificate
		now    time.Time
		want   error
	}{
		"2025":                  {"as ESS shows it, with the intermediate", "webhook-2025-fullchain.pem", verify.Certificate{CAs: root}, in2025, nil},
		"2026":                  {"as ESS shows it, with intermediate and root", "webhook-2026-fullchain.pem", verify.Certificate{CAs: root}, in2026, nil},
		"2026Chain":             {"the other file with a chain", "webhook-2026-chain.pem", verify.Certificate{CAs: root}, in2026, nil},
		"LeafAlone":             {"ingress-nginx forwards no intermediate, so one in the bundle must do", "webhook-2026-leaf.pem", verify.Certificate{CAs: intermediate}, in2026, nil},
		"LeafAloneBoth":         {"a bundle of both", "webhook-2026-leaf.pem", verify.Certificate{CAs: slices.Concat(root, intermediate)}, in2026, nil},
		"LeafAloneRoot":         {"nothing links it to the root", "webhook-2026-leaf.pem", verify.Certificate{CAs: root}, in2026, verify.ErrUnknownAuthority},
		"PinnedLeaf":            {"who trusts the leaf itself may", "webhook-2026-leaf.pem", verify.Certificate{CAs: file(t, "certs", "webhook-2026-leaf.pem")}, in2026, nil},
		"SystemRoots":           {"DigiCert's root may be missing here, but 2023's certificate is over in any case", "history/webhook-2023-leaf.pem", verify.Certificate{}, in2026, verify.ErrExpired},
		"2024":                  {"organisation and serial have changed since; only the name counts", "history/webhook-2024-leaf.pem", verify.Certificate{CAs: intermediate}, time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC), nil},
		"2022OtherIntermediate": {"its issuer is not in the bundle", "history/webhook-2022-leaf.pem", verify.Certificate{CAs: intermediate}, time.Date(2022, 6, 1, 0, 0, 0, 0, time.UTC), verify.ErrUnknownAuthority},
		"2025Expired":           {"it ended on 2025-11-08", "webhook-2025-fullchain.pem", verify.Certificate{CAs: root}, today, verify.ErrExpired},
		"2026Expired":           {"it ended on 2026-09-28", "webhook-2026-fullchain.pem", verify.Certificate{CAs: root}, today, verify.ErrExpired},
		"2025Ignored":           {"the switch is on", "webhook-2025-fullchain.pem", verify.Certificate{CAs: root, IgnoreExpiry: true}, today, nil},
		"2026Ignored":           {"the switch is on", "webhook-2026-fullchain.pem", verify.Certificate{CAs: root, IgnoreExpiry: true}, today, nil},
		"2026LeafIgnored":       {"the intermediate is an anchor", "webhook-2026-leaf.pem", verify.Certificate{CAs: intermediate, IgnoreExpiry: true}, today, nil},
		"2050Ignored":           {"intermediate and root are over as well", "webhook-2026-fullchain.pem", verify.Certificate{CAs: root, IgnoreExpiry: true}, time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC), nil},
		"TooEarly":              {"ignoring the end ignores no beginning", "webhook-2026-fullchain.pem", verify.Certificate{CAs: root, IgnoreExpiry: true}, in2025, verify.ErrNotYetValid},
	} {
		t.Run(test, func(t *testing.T) {
			t.Parallel()
			p := policy(t, verify.Config{Certificate: &tc.config, Now: at(tc.now)})
			for range 2 { // the second answer may be remembered
				proof, err := p.Prove(shown(certs(t, "certs", tc.shown)...), nil)
				if !errors.Is(err, tc.want) || (err == nil) != (proof == "certificate") {
					t.Errorf("%s: proof %q, error %v, want %v", tc.reason, proof, err, tc.want)
				}
			}
		})
	}
}

// Each certificate costs time, more so where ends are ignored: a stranger may show hundreds in one handshake.
func TestLongChainsAreNotFollowed(t *testing.T) {
	t.Parallel()
	root := issue(t, nil, authority("root"))
	chain := []*x509.Certificate{issue(t, &root, client(name)).cert}
	p := policy(t, verify.Config{Certificate: &verify.Certificate{CAs: pemOf(root.cert), IgnoreExpiry: true}, Now: at(today)})
	for i := range 10 {
		if _, err := p.Prove(shown(chain...), nil); err != nil {
			t.Errorf("%d certificates: %v", i+1, err)
		}
		chain = append(chain, issue(t, nil, authority("other")).cert)
	}
	if _, err := p.Prove(shown(chain...), nil); !errors.Is(err, verify.ErrBadCertificate) {
		t.Errorf("%d certificates: %v", len(chain), err)
	}
}

func TestCertificateSwitches(t *testing.T) {
	t.Parallel()
	root := issue(t, nil, authority("root"))
	old := issue(t, &root, valid(authority("intermediate"), today.AddDate(-9, 0, 0), today.AddDate(0, 0, -20)))
	other := issue(t, nil, authority("root"))
	serverOnly := client(name)
	serverOnly.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	serverOver := valid(serverOnly, today.AddDate(-1, 0, 0), today.AddDate(0, 0, -1))
	over := valid(client(name), today.AddDate(-1, 0, 0), today.AddDate(0, 0, -1))
	for test, tc := range map[string]struct {
		reason   string
		issuer   issued
		template x509.Certificate
		config   verify.Certificate
		want     error
	}{
		"CommonName":         {"a certificate may name its owner there alone", root, client(name), verify.Certificate{}, nil},
		"DNSName":            {"or there alone", root, client("", "other.example", name), verify.Certificate{}, nil},
		"OtherCase":          {"host names have no case", root, client("WEBHOOK.api.ConcurSolutions.com"), verify.Certificate{}, nil},
		"WrongName":          {"any certificate of the same authority would do otherwise", root, client("evil.example", "evil.example"), verify.Certificate{}, verify.ErrWrongName},
		"Wildcard":           {"a wildcard certificate is not the one that Concur published", root, client("*.api.concursolutions.com", "*.api.concursolutions.com"), verify.Certificate{}, verify.ErrWrongName},
		"NameInName":         {"only the whole name counts", root, client("x-" + name), verify.Certificate{}, verify.ErrWrongName},
		"NoName":             {"nothing matches nothing", root, client(""), verify.Certificate{}, verify.ErrWrongName},
		"ConfiguredName":     {"Concur may change it", root, client("new.example"), verify.Certificate{Names: []string{name, "new.example"}}, nil},
		"UnknownAuthority":   {"same subject, other key", other, client(name), verify.Certificate{}, verify.ErrUnknownAuthority},
		"ServerOnly":         {"by default it must be for clients", root, serverOnly, verify.Certificate{}, verify.ErrKeyUsage},
		"ServerOnlyIgnored":  {"public authorities drop that mark", root, serverOnly, verify.Certificate{IgnoreKeyUsage: true}, nil},
		"ServerOverIgnored":  {"one switch does not imply the other", root, serverOver, verify.Certificate{IgnoreExpiry: true}, verify.ErrKeyUsage},
		"Expired":            {"by default it must be valid now", root, over, verify.Certificate{}, verify.ErrExpired},
		"ExpiredIgnored":     {"the switch is on", root, over, verify.Certificate{IgnoreExpiry: true}, nil},
		"ExpiredUnknown":     {"the switch opens no door to strangers", other, over, verify.Certificate{IgnoreExpiry: true}, verify.ErrUnknownAuthority},
		"IssuerExpired":      {"its issuer must be valid too", old, over, verify.Certificate{}, verify.ErrExpired},
		"IssuerOver":         {"the leaf is valid, but what it depends on is not", old, client(name), verify.Certificate{}, verify.ErrExpired},
		"IssuerOverIgnored":  {"all of it was valid last month", old, client(name), verify.Certificate{IgnoreExpiry: true}, nil},
		"BothExpiredIgnored": {"the leaf outlived its issuer; both are over", old, over, verify.Certificate{IgnoreExpiry: true}, nil},
	} {
		t.Run(test, func(t *testing.T) {
			t.Parallel()
			tc.config.CAs = pemOf(root.cert)
			leaf := issue(t, &tc.issuer, tc.template)
			p := policy(t, verify.Config{Certificate: &tc.config, Now: at(today)})
			if _, err := p.Prove(shown(leaf.cert, tc.issuer.cert), nil); !errors.Is(err, tc.want) {
				t.Errorf("%s: got %v, want %v", tc.reason, err, tc.want)
			}
		})
	}
}

// A proxy forwards the leaf alone, and the intermediate in the bundle is over before it.
func TestExpiredAnchor(t *testing.T) {
	t.Parallel()
	root := issue(t, nil, authority("root"))
	anchor := issue(t, &root, valid(authority("intermediate"), today.AddDate(-9, 0, 0), today.AddDate(0, 0, -20)))
	leaf := issue(t, &anchor, client(name))
	for ignore, want := range map[bool]error{false: verify.ErrExpired, true: nil} {
		p := policy(t, verify.Config{Certificate: &verify.Certificate{CAs: pemOf(anchor.cert), IgnoreExpiry: ignore}, Now: at(today)})
		if _, err := p.Prove(shown(leaf.cert), nil); !errors.Is(err, want) {
			t.Errorf("ignoring expiry %t: got %v, want %v", ignore, err, want)
		}
	}
}

// A remembered certificate is believed no longer than it is valid.
func TestRememberedCertificateExpires(t *testing.T) {
	t.Parallel()
	root := issue(t, nil, authority("root"))
	leaf := issue(t, &root, valid(client(name), today, today.Add(time.Hour)))
	now := today
	p := policy(t, verify.Config{Certificate: &verify.Certificate{CAs: pemOf(root.cert)}, Now: func() time.Time { return now }})
	for _, step := range []struct {
		after time.Duration
		want  error
	}{{0, nil}, {time.Hour, nil}, {time.Hour + time.Second, verify.ErrExpired}, {-time.Second, verify.ErrNotYetValid}, {time.Minute, nil}} {
		now = today.Add(step.after)
		if _, err := p.Prove(shown(leaf.cert), nil); !errors.Is(err, step.want) {
			t.Errorf("after %s: got %v, want %v", step.after, err, step.want)
		}
	}
}
