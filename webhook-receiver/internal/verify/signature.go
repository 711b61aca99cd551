package verify

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
)

// SignatureHeader is the header of every delivery (SAP Concur, Event Subscription Service v4, Concur-Signature).
const SignatureHeader = "Concur-Signature"

// Algorithm is a way to sign. Which one ESS uses is documented nowhere; public code of 2019 saw PSS turn into
// PKCS #1 v1.5. So both are believed by default, and a metric tells which one it is.
type Algorithm string

// The algorithms. PSS is believed with a salt of any length.
const (
	PKCS1v15 Algorithm = "rsa-pkcs1v15-sha256"
	PSS      Algorithm = "rsa-pss-sha256"
)

// The sizes of RSA keys that are believed, in bits: below, they can be broken; above, each try costs too much.
const (
	minKeyBits = 2048
	maxKeyBits = 8192
)

// Signature configures the check of Concur-Signature.
type Signature struct {
	// Keys is PublishedKeys() when empty.
	Keys []Key
	// Algorithms is all when empty.
	Algorithms []Algorithm
}

// Key is a set of public keys under one name, which shows in metrics and in the proof of an event.
type Key struct {
	Name string
	// PEM holds public keys (PKIX or PKCS #1) or certificates, whose public keys count: ESS signs with the key of
	// its client certificate. The second and later ones are named Name#2 and so on.
	PEM []byte
}

// A candidate is one way in which a signature may have been made.
type candidate struct {
	key       string
	algorithm Algorithm
	public    *rsa.PublicKey
}

type signatures struct {
	candidates []candidate
	last       atomic.Int64 // the candidate that matched last, and will most likely match next
	metrics    metrics
}

func newSignatures(c Signature, m metrics) (*signatures, error) {
	s := &signatures{metrics: m}
	keys, algorithms := c.Keys, c.Algorithms
	if len(keys) == 0 {
		keys = PublishedKeys()
	}
	if len(algorithms) == 0 {
		algorithms = []Algorithm{PKCS1v15, PSS}
	}
	for _, a := range algorithms {
		if a != PKCS1v15 && a != PSS {
			return nil, fmt.Errorf("algorithms: %q is unknown; there are %q and %q", a, PKCS1v15, PSS)
		}
	}
	for _, k := range keys {
		publics, err := parseKeys(k.PEM)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", k.Name, err)
		}
		s.add(k.Name, publics, algorithms)
	}
	return s, nil
}

func (s *signatures) add(name string, publics []*rsa.PublicKey, algorithms []Algorithm) {
	for i, public := range publics {
		each := name
		if i > 0 {
			each = fmt.Sprintf("%s#%d", name, i+1)
		}
		for _, a := range algorithms {
			s.candidates = append(s.candidates, candidate{key: each, algorithm: a, public: public})
		}
	}
}

func (s *signatures) check(r *http.Request, body []byte) (string, *CheckError) {
	match, failure := s.verify(r.Header.Get(SignatureHeader), body)
	s.metrics.count(methodSignature, failure)
	if failure != nil {
		return "", failure
	}
	s.metrics.matches.WithLabelValues(match.key, string(match.algorithm)).Inc()
	return methodSignature + ":" + match.key, nil
}

func (s *signatures) verify(header string, body []byte) (candidate, *CheckError) {
	if header == "" {
		return candidate{}, fail(methodSignature, ErrAbsent, "there is no header %s; a proxy may have dropped it", SignatureHeader)
	}
	signature, err := decodeSignature(header)
	if err != nil {
		return candidate{}, fail(methodSignature, ErrMalformed, "the header %s %v", SignatureHeader, err)
	}
	digest := sha256.Sum256(body)
	last := s.last.Load()
	if s.candidates[last].matches(digest[:], signature) {
		return s.candidates[last], nil
	}
	for i := range s.candidates {
		if int64(i) != last && s.candidates[i].matches(digest[:], signature) {
			s.last.Store(int64(i))
			return s.candidates[i], nil
		}
	}
	return candidate{}, fail(methodSignature, ErrBadSignature, "it fits none of the keys (%s); if Concur has changed its key, add the new one "+
		"from its page; if not, the request is forged or a proxy has changed the body", s.names())
}

func (c candidate) matches(digest, signature []byte) bool {
	if len(signature) != c.public.Size() {
		return false
	}
	if c.algorithm == PSS {
		return rsa.VerifyPSS(c.public, crypto.SHA256, digest, signature, nil) == nil
	}
	return rsa.VerifyPKCS1v15(c.public, crypto.SHA256, digest, signature) == nil
}

func (s *signatures) names() string {
	var names []string
	for _, c := range s.candidates {
		if !slices.Contains(names, c.key) {
			names = append(names, c.key)
		}
	}
	return strings.Join(names, ", ")
}

var standardAlphabet = strings.NewReplacer("-", "+", "_", "/", " ", "", "\t", "")

// decodeSignature reads base64 in the standard or the URL-safe alphabet, padded or not, with spaces or without.
func decodeSignature(header string) ([]byte, error) {
	if len(header) > 2*maxKeyBits/8 {
		return nil, errors.New("is longer than a signature by the largest key can be")
	}
	signature, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(standardAlphabet.Replace(header), "="))
	if err != nil || len(signature) == 0 {
		return nil, errors.New("is not base64")
	}
	return signature, nil
}

// parseKeys returns the RSA public keys in data, at least one.
func parseKeys(data []byte) ([]*rsa.PublicKey, error) {
	var keys []*rsa.PublicKey
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		key, err := parseKey(block)
		if err != nil {
			return nil, err
		}
		if bits := key.N.BitLen(); bits < minKeyBits || bits > maxKeyBits {
			return nil, fmt.Errorf("an RSA key of %d bits is not believed; between %d and %d are", bits, minKeyBits, maxKeyBits)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("no PEM block; put the public key there as Concur prints it, with its BEGIN and END lines")
	}
	return keys, nil
}
