package verify_test

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/verify"
)

// With the signature proved, an expired certificate does no harm under any, and is counted; under all it does.
func TestRequirement(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewPedanticRegistry()
	config := verify.Config{
		Certificate: &verify.Certificate{CAs: file(t, "certs", "digicert-global-root-g2.pem")},
		Signature:   &verify.Signature{Keys: []verify.Key{{Name: "mine", PEM: publicPEM(mine())}}},
		Registerer:  registry,
	}
	header := base64.StdEncoding.EncodeToString(sign(mine(), body, nil))
	for _, step := range []struct {
		require verify.Requirement
		in2026  bool
		header  string
		want    string
		errs    []error
	}{
		{verify.Any, true, header, "certificate+signature:mine", nil},
		{verify.Any, true, "", "certificate", nil},
		{"", false, header, "signature:mine", nil},
		{verify.Any, false, "", "", []error{verify.ErrExpired, verify.ErrAbsent}},
		{verify.All, true, header, "certificate+signature:mine", nil},
		{verify.All, false, header, "", []error{verify.ErrExpired}},
		{verify.All, true, "!", "", []error{verify.ErrMalformed}},
	} {
		config.Require, config.Now = step.require, at(today)
		if step.in2026 {
			config.Now = at(in2026)
		}
		r := signed(step.header)
		r.TLS = shown(certs(t, "certs", "webhook-2026-fullchain.pem")...).TLS
		proof, err := policy(t, config).Prove(r, body)
		if proof != step.want || (err == nil) != (step.errs == nil) {
			t.Errorf("%+v: proof %q, error %v", step, proof, err)
		}
		for _, want := range step.errs {
			if !errors.Is(err, want) {
				t.Errorf("%+v: error %v is not %v", step, err, want)
			}
		}
	}
	want := map[string]float64{
		"ess_receiver_proof_total certificate expired":                  3,
		"ess_receiver_proof_total certificate proved":                   4,
		"ess_receiver_proof_total signature absent":                     2,
		"ess_receiver_proof_total signature malformed":                  1,
		"ess_receiver_proof_total signature proved":                     4,
		"ess_receiver_signature_matches_total rsa-pkcs1v15-sha256 mine": 4,
	}
	if diff := cmp.Diff(want, counts(t, registry)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// counts returns the counters in g by name and label values.
func counts(t *testing.T, g prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]float64)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			id := family.GetName()
			for _, l := range m.GetLabel() {
				id += " " + l.GetValue()
			}
			all[id] = m.GetCounter().GetValue()
		}
	}
	return all
}

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("secret")})
	key := func(data []byte) verify.Config {
		return verify.Config{Signature: &verify.Signature{Keys: []verify.Key{{Name: "a.pem", PEM: data}}}}
	}
	cert := func(c verify.Certificate) verify.Config { return verify.Config{Certificate: &c} }
	ec := issue(t, nil, client("ec"))
	for want, config := range map[string]verify.Config{
		"neither clientCertificate nor signature is on": {},
		"require: \"both\" is neither":                  {Require: "both", Signature: &verify.Signature{}},
		"algorithms: \"rsa\" is unknown":                {Signature: &verify.Signature{Algorithms: []verify.Algorithm{"rsa"}}},
		"key a.pem: no PEM block":                       key([]byte("MIIB")),
		"key a.pem: this is a private key":              key(private),
		"key a.pem: the CERTIFICATE holds no RSA key":   key(pemOf(ec.cert)),
		"key a.pem: reading the PUBLIC KEY":             key(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY"})),
		"key a.pem: a PEM block \"X\"":                  key(pem.EncodeToMemory(&pem.Block{Type: "X"})),
		"key a.pem: an RSA key of 1024 bits":            key(publicPEM(generate(1024))),
		"CA bundle: no PEM block":                       cert(verify.Certificate{CAs: []byte("\n")}),
		"CA bundle: a PEM block \"PUBLIC KEY\"":         cert(verify.Certificate{CAs: publicPEM(mine())}),
		"CA bundle: reading certificate 1":              cert(verify.Certificate{CAs: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE"})}),
		"names: an empty name":                          cert(verify.Certificate{Names: []string{""}}),
		"forwarded: trustedProxies: list":               cert(verify.Certificate{Forwarded: &verify.Forwarded{}}),
		"forwarded: trustedProxies: one":                cert(verify.Certificate{Forwarded: &verify.Forwarded{TrustedProxies: []netip.Prefix{{}}}}),
	} {
		_, err := verify.New(config)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to say %q", err, want)
		}
	}
}

// ESS signs with the key of its certificate, so its published keys and certificates must tell the same.
func TestPublishedKeysAreThoseOfTheCertificates(t *testing.T) {
	t.Parallel()
	keys := verify.PublishedKeys()
	var names []string
	for i, leaf := range []string{"webhook-2026-leaf.pem", "webhook-2025-leaf.pem"} {
		names = append(names, keys[i].Name)
		block, rest := pem.Decode(keys[i].PEM)
		if block == nil || len(rest) > 0 {
			t.Fatalf("%s is not one PEM block", keys[i].Name)
		}
		if !bytes.Equal(certs(t, "certs", leaf)[0].RawSubjectPublicKeyInfo, block.Bytes) {
			t.Errorf("%s is not the key of %s", keys[i].Name, leaf)
		}
	}
	if diff := cmp.Diff([]string{"current", "previous"}, names); diff != "" || len(keys) != len(names) {
		t.Errorf("%d keys; names (-want +got):\n%s", len(keys), diff)
	}
	oldest, _ := pem.Decode(file(t, "public-key-oldest.pem"))
	for _, k := range keys {
		if block, _ := pem.Decode(k.PEM); bytes.Equal(block.Bytes, oldest.Bytes) {
			t.Errorf("%s is the key that was retired in 2023", k.Name)
		}
	}
	policy(t, verify.Config{Signature: &verify.Signature{}})
}

// Each failure tells a person what to do, and none quotes the body.
func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	p := policy(t, verify.Config{
		Certificate: &verify.Certificate{CAs: file(t, "certs", "digicert-global-root-g2.pem")}, Signature: &verify.Signature{}, Now: at(today),
	})
	r := shown(certs(t, "certs", "webhook-2026-fullchain.pem")...)
	r.Header.Set(verify.SignatureHeader, base64.StdEncoding.EncodeToString(sign(mine(), body, nil)))
	_, err := p.Prove(r, body)
	const want = "proving that the request comes from Concur: certificate: expired: current time 2026-11-22T00:00:00Z is after 2026-09-28T23:59:59Z; " +
		"rely on the signature (require: any), or set ignoreExpiry until Concur shows a new one; signature: bad signature: it fits none of the keys " +
		"(current, previous); if Concur has changed its key, add the new one from its page; if not, the request is forged or a proxy has changed the body"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
