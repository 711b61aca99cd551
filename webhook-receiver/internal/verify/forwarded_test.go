package verify_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/verify"
)

// envoy encodes PEM as Envoy does.
var envoy = strings.NewReplacer("\n", "%0A", " ", "%20", "+", "%2B", "/", "%2F", "=", "%3D")

func forwardedPolicy(tb testing.TB) *verify.Policy {
	return policy(tb, verify.Config{
		Certificate: &verify.Certificate{
			CAs: append(file(tb, "certs", "digicert-global-root-g2.pem"), file(tb, "certs", "digicert-global-g2-tls-rsa-sha256-2020-ca1.pem")...),
			Forwarded: &verify.Forwarded{TrustedProxies: []netip.Prefix{
				netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8"),
			}},
		},
		Now: at(in2026),
	})
}

func forwarded(from string, lines ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/events/finance/reports", nil)
	r.RemoteAddr = from
	r.Header[verify.ForwardedHeader] = lines
	return r
}

func TestForwardedForms(t *testing.T) {
	t.Parallel()
	leaf := string(file(t, "certs", "webhook-2026-leaf.pem"))
	chain := string(file(t, "certs", "webhook-2026-fullchain.pem"))
	other := string(pemOf(issue(t, nil, client("evil.example")).cert))
	facts := `Hash=468ed33be74eee6556d90c0149c1309e9ba61d6425303443c0748a02dd8de688;Subject="CN=webhook.api.concursolutions.com,O=SAP SE,ST=Baden-W\C3\BCrttemberg"`
	cert := func(pem string) string { return `Cert="` + envoy.Replace(pem) + `"` }
	for test, tc := range map[string]struct {
		reason string
		lines  []string
		want   error
	}{
		"EnvoyCert":        {"set_current_client_cert_details: {cert: true}", []string{"By=spiffe://a;" + facts + ";" + cert(leaf) + ";URI=;DNS=" + name}, nil},
		"EnvoyChain":       {"chain holds the client's certificate first", []string{facts + `;Chain="` + envoy.Replace(chain) + `"`}, nil},
		"EnvoyBoth":        {"both may be sent", []string{cert(leaf) + `;Chain="` + envoy.Replace(chain) + `"`}, nil},
		"EnvoyUnquoted":    {"quotes are needed only around separators", []string{"cert=" + envoy.Replace(leaf)}, nil},
		"EnvoyLastElement": {"with several proxies, ours is the last", []string{cert(other) + "," + facts + ";" + cert(leaf)}, nil},
		"EnvoyNotFirst":    {"what came in from outside stands before ours", []string{cert(leaf) + "," + cert(other)}, verify.ErrWrongName},
		"EnvoyLastLine":    {"as above, in two lines", []string{cert(leaf), cert(other)}, verify.ErrWrongName},
		"EnvoyFacts":       {"Envoy's default sends no certificate", []string{facts}, verify.ErrIncomplete},
		"EnvoyURI":         {"a pair we do not know is no certificate", []string{"URI=spiffe://a"}, verify.ErrMalformed},
		"OpenQuote":        {"a quote that comes from outside swallows the beginning of our element", []string{cert(leaf) + `;x=",By=a;` + cert(other)}, verify.ErrMalformed},
		"OpenQuoteSubject": {"as above, closed by another pair", []string{cert(leaf) + `;x=",By=a;Subject="CN=evil.example";` + cert(other)}, verify.ErrMalformed},
		"NoLastQuote":      {"cut off", []string{`Cert="` + envoy.Replace(leaf)}, verify.ErrMalformed},
		"TwoCerts":         {"what was slipped into another pair must not count", []string{cert(other) + ";URI=a;" + cert(leaf)}, verify.ErrMalformed},
		"TwoNames":         {"other pairs may come more than once", []string{cert(leaf) + ";DNS=a;DNS=b"}, nil},
		"EscapedQuote":     {"within quotes", []string{`Subject="O=\"a\",CN=b";` + cert(leaf)}, nil},
		"NginxEscaped":     {"ssl-client-cert of ingress-nginx", []string{url.PathEscape(leaf)}, nil},
		"NginxAllEscaped":  {"nginx escapes plus signs too", []string{strings.ReplaceAll(url.QueryEscape(leaf), "+", "%20")}, nil},
		"PlusLeftAlone":    {"some proxies leave plus, slash and equals sign", []string{strings.NewReplacer("\n", "%0A", " ", "%20").Replace(leaf)}, nil},
		"OtherName":        {"the proxy let somebody else in", []string{url.PathEscape(other)}, verify.ErrWrongName},
		"Empty":            {"nginx without a client certificate sends an empty value", []string{""}, verify.ErrAbsent},
		"None":             {"a probe of the proxy", nil, verify.ErrAbsent},
		"Garbage":          {"neither form", []string{"garbage"}, verify.ErrMalformed},
		"BrokenPercent":    {"cut off", []string{"-----BEGIN%20CERTIFICATE-----%0"}, verify.ErrMalformed},
		"NotPEM":           {"not what it says", []string{"-----BEGIN%20CERTIFICATE-----%0Aaaaa"}, verify.ErrMalformed},
		"OtherBlock":       {"a key is no certificate", []string{url.PathEscape(string(file(t, "public-key-oldest.pem")))}, verify.ErrMalformed},
		"BadDER":           {"PEM around something else", []string{url.PathEscape("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")}, verify.ErrMalformed},
		"LongChain":        {"each certificate costs time", []string{url.PathEscape(strings.Repeat(leaf, 11))}, verify.ErrMalformed},
		"Huge":             {"so does each byte", []string{strings.Repeat("a", 70000)}, verify.ErrMalformed},
	} {
		t.Run(test, func(t *testing.T) {
			t.Parallel()
			p := forwardedPolicy(t)
			for range 2 {
				proof, err := p.Prove(forwarded("10.1.2.3:4567", tc.lines...), nil)
				if !errors.Is(err, tc.want) || (err == nil) != (proof == "forwarded") {
					t.Errorf("%s: proof %q, error %v, want %v", tc.reason, proof, err, tc.want)
				}
			}
		})
	}
}

// A certificate is public: anybody can put Concur's into a header.
func TestForwardedOnlyByTrustedProxies(t *testing.T) {
	t.Parallel()
	header := url.PathEscape(string(file(t, "certs", "webhook-2026-leaf.pem")))
	p := forwardedPolicy(t)
	for from, want := range map[string]error{
		"10.1.255.255:1":      nil,
		"[::ffff:10.1.0.1]:1": nil,
		"[fd00::1%eth0]:1":    nil,
		"10.2.0.1:1":          verify.ErrUntrustedProxy,
		"[2001:db8::1]:1":     verify.ErrUntrustedProxy,
		"@":                   verify.ErrUntrustedProxy,
		"":                    verify.ErrUntrustedProxy,
	} {
		if _, err := p.Prove(forwarded(from, header), nil); !errors.Is(err, want) {
			t.Errorf("from %q: got %v, want %v", from, err, want)
		}
	}
}

// What a stranger writes into the header takes nothing from the certificate of the connection, and gives nothing to it.
func TestForwardedBesideDirect(t *testing.T) {
	t.Parallel()
	p := forwardedPolicy(t)
	header := url.PathEscape(string(file(t, "certs", "webhook-2026-leaf.pem")))
	concurs := certs(t, "certs", "webhook-2026-fullchain.pem")
	proxys := issue(t, nil, client("proxy.example"))

	stranger := shown(concurs...)
	stranger.Header.Set(verify.ForwardedHeader, "garbage")
	if proof, err := p.Prove(stranger, nil); proof != "certificate" {
		t.Errorf("Concur's own connection: proof %q, error %v", proof, err)
	}
	spoof := shown(proxys.cert)
	spoof.Header.Set(verify.ForwardedHeader, header)
	if _, err := p.Prove(spoof, nil); !errors.Is(err, verify.ErrWrongName) {
		t.Errorf("a stranger's certificate and Concur's in the header: %v", err)
	}
	proxied := shown(proxys.cert)
	proxied.RemoteAddr = "10.1.0.1:1"
	proxied.Header.Set(verify.ForwardedHeader, header)
	if proof, err := p.Prove(proxied, nil); proof != "forwarded" {
		t.Errorf("a proxy that shows its own certificate: proof %q, error %v", proof, err)
	}
	if proof, err := p.Prove(shown(concurs...), nil); proof != "certificate" {
		t.Errorf("no header at all: proof %q, error %v", proof, err)
	}
}
