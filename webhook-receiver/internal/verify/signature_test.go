package verify_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/verify"
)

var (
	body = []byte("{\"eventType\":\"a\" }\n")
	// Making a key takes long, and none of the tests changes one.
	mine  = sync.OnceValue(func() *rsa.PrivateKey { return generate(2048) })
	other = sync.OnceValue(func() *rsa.PrivateKey { return generate(2048) })
)

func generate(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}

func publicPEM(key *rsa.PrivateKey) []byte {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func sign(key *rsa.PrivateKey, body []byte, pss *rsa.PSSOptions) []byte {
	digest := sha256.Sum256(body)
	var signature []byte
	var err error
	if pss != nil {
		signature, err = rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], pss)
	} else {
		signature, err = rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	}
	if err != nil {
		panic(err)
	}
	return signature
}

func signed(header string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/events/finance/reports", nil)
	if header != "" {
		r.Header.Set(verify.SignatureHeader, header)
	}
	return r
}

func TestSignatureEncodings(t *testing.T) {
	t.Parallel()
	p := policy(t, verify.Config{Signature: &verify.Signature{Keys: []verify.Key{{Name: "mine", PEM: publicPEM(mine())}}}})
	standard := base64.StdEncoding.EncodeToString(sign(mine(), body, nil))
	for test, header := range map[string]string{
		"Standard":           standard,
		"StandardUnpadded":   strings.TrimRight(standard, "="),
		"URLSafe":            strings.NewReplacer("+", "-", "/", "_").Replace(standard),
		"URLSafeUnpadded":    base64.RawURLEncoding.EncodeToString(sign(mine(), body, nil)),
		"FoldedBySomeProxy":  standard[:76] + " " + standard[76:],
		"PSSLongestSalt":     base64.StdEncoding.EncodeToString(sign(mine(), body, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto})),
		"PSSSaltLikeHash":    base64.StdEncoding.EncodeToString(sign(mine(), body, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})),
		"PSSSaltOfOneByte":   base64.StdEncoding.EncodeToString(sign(mine(), body, &rsa.PSSOptions{SaltLength: 1})),
		"PSSURLSafeUnpadded": base64.RawURLEncoding.EncodeToString(sign(mine(), body, &rsa.PSSOptions{})),
	} {
		t.Run(test, func(t *testing.T) {
			t.Parallel()
			if proof, err := p.Prove(signed(header), body); proof != "signature:mine" {
				t.Errorf("proof %q, error %v", proof, err)
			}
		})
	}
}

func TestSignatureRefusals(t *testing.T) {
	t.Parallel()
	valid := base64.StdEncoding.EncodeToString(sign(mine(), body, nil))
	pss := base64.StdEncoding.EncodeToString(sign(mine(), body, &rsa.PSSOptions{}))
	for test, tc := range map[string]struct {
		reason     string
		header     string
		body       string
		algorithms []verify.Algorithm
		want       error
	}{
		"None":           {"a stranger sends none", "", string(body), nil, verify.ErrAbsent},
		"OtherBody":      {"one byte differs: a proxy that changes line ends breaks the proof", valid, strings.TrimSpace(string(body)), nil, verify.ErrBadSignature},
		"OtherKey":       {"well made, by somebody else", base64.StdEncoding.EncodeToString(sign(other(), body, nil)), string(body), nil, verify.ErrBadSignature},
		"OtherAlgorithm": {"PSS is not configured", pss, string(body), []verify.Algorithm{verify.PKCS1v15}, verify.ErrBadSignature},
		"NorTheOther":    {"PKCS #1 v1.5 is not configured", valid, string(body), []verify.Algorithm{verify.PSS}, verify.ErrBadSignature},
		"CutOff":         {"no key is that short", valid[:100], string(body), nil, verify.ErrBadSignature},
		"NotBase64":      {"cannot be read", "{}", string(body), nil, verify.ErrMalformed},
		"PaddingAlone":   {"nothing is no signature", "====", string(body), nil, verify.ErrMalformed},
		"Huge":           {"not worth the time", strings.Repeat("A", 3000), string(body), nil, verify.ErrMalformed},
	} {
		t.Run(test, func(t *testing.T) {
			t.Parallel()
			p := policy(t, verify.Config{Signature: &verify.Signature{Keys: []verify.Key{{Name: "mine", PEM: publicPEM(mine())}}, Algorithms: tc.algorithms}})
			proof, err := p.Prove(signed(tc.header), []byte(tc.body))
			if !errors.Is(err, tc.want) || proof != "" {
				t.Errorf("%s: proof %q, error %v, want %v", tc.reason, proof, err, tc.want)
			}
		})
	}
}

// During a rotation deliveries may be signed by either key, in any order; all keys of all files count.
func TestSignatureKeySet(t *testing.T) {
	t.Parallel()
	pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&other().PublicKey)})
	p := policy(t, verify.Config{Signature: &verify.Signature{Keys: append(verify.PublishedKeys(),
		verify.Key{Name: "own", PEM: append(file(t, "certs", "webhook-2026-leaf.pem"), publicPEM(mine())...)},
		verify.Key{Name: "pkcs1", PEM: pkcs1},
	)}})
	for i, step := range []struct {
		key  *rsa.PrivateKey
		pss  *rsa.PSSOptions
		want string
	}{
		{mine(), nil, "signature:own#2"}, {other(), nil, "signature:pkcs1"}, {other(), &rsa.PSSOptions{}, "signature:pkcs1"},
		{mine(), &rsa.PSSOptions{}, "signature:own#2"}, {mine(), nil, "signature:own#2"},
	} {
		header := base64.StdEncoding.EncodeToString(sign(step.key, body, step.pss))
		if proof, err := p.Prove(signed(header), body); proof != step.want {
			t.Errorf("delivery %d: proof %q, error %v, want %s", i, proof, err, step.want)
		}
	}
}
