package adminsecret

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	host = "ess-operator-receiver-admin.ess-operator-system.svc"
	day  = 24 * time.Hour
)

var begin = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// completed is what becomes of data, and what is told.
func completed(t *testing.T, data map[string][]byte, host string, now time.Time) (after map[string][]byte, s *secret) {
	t.Helper()
	before := maps.Clone(data)
	for key, text := range before {
		before[key] = bytes.Clone(text)
	}
	s, err := complete(data, host, now)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.EqualFunc(before, data, bytes.Equal) { // which is much faster, and there are thousands
		t.Fatalf("what was read was changed:\n%s", cmp.Diff(before, data))
	}
	after = maps.Clone(data)
	if after == nil {
		after = map[string][]byte{}
	}
	maps.Copy(after, s.changes)
	return after, s
}

// written are the keys that have to be written.
func (s *secret) written() []string { return slices.Sorted(maps.Keys(s.changes)) }

// made is a Secret that was filled at a time.
func made(t *testing.T, now time.Time) map[string][]byte {
	t.Helper()
	data, _ := completed(t, nil, host, now)
	return data
}

// verify does as a caller that trusts roots does with a receiver that serves the pair.
func verify(pair, roots map[string][]byte, host string, now time.Time) error {
	certificate, err := tls.X509KeyPair(pair[certificateKey], pair[privateKey])
	if err != nil {
		return err
	}
	leaf, err := x509.ParseCertificate(certificate.Certificate[0])
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(roots[authoritiesKey])
	_, err = leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: pool, CurrentTime: now})
	return err
}

func TestEmptySecretIsFilled(t *testing.T) {
	t.Parallel()
	data, s := completed(t, nil, host, begin)
	if want := []string{"ca.crt", "ca.key", "tls.crt", "tls.key", "token"}; !slices.Equal(s.written(), want) || s.wrong != nil {
		t.Fatalf("it holds %v (%v)", s.written(), s.wrong)
	}
	for _, name := range []string{host, "ess-operator-receiver-admin.ess-operator-system", "ess-operator-receiver-admin"} {
		if err := verify(data, data, name, begin); err != nil {
			t.Errorf("a caller of %s: %v", name, err)
		}
	}
	if err := verify(data, data, "ess-operator-receiver.ess-operator-system.svc", begin); err == nil {
		t.Error("the certificate is for the events too")
	}
	if want := begin.Add(certificateLife); !s.notAfter.Equal(want) {
		t.Errorf("told to expire at %s, want %s", s.notAfter, want)
	}
	if _, again := completed(t, data, host, begin.Add(time.Minute)); len(again.changes) > 0 {
		t.Errorf("what was just written is written again: %v", again.written())
	}
}

func TestTokensAndKeysAreRandom(t *testing.T) {
	t.Parallel()
	one, other := made(t, begin), made(t, begin)
	if len(one[tokenKey]) != 64 || strings.Trim(string(one[tokenKey]), "0123456789abcdef") != "" {
		t.Error("the token is not 32 bytes in hexadecimal")
	}
	for _, key := range []string{tokenKey, privateKey, authorityKeyKey} {
		if bytes.Equal(one[key], other[key]) {
			t.Errorf("two Secrets have the same %s", key)
		}
	}
}

func TestNamesOf(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason    string
		names     []string
		addresses []net.IP
	}{
		"admin.system.svc":               {"its short forms are the same Service", []string{"admin.system.svc", "admin.system", "admin"}, nil},
		"admin.system.svc.cluster.local": {"with the cluster's domain too", []string{"admin.system.svc.cluster.local", "admin.system.svc", "admin.system", "admin"}, nil},
		"admin.example.com":              {"shorter ones are others' hosts", []string{"admin.example.com"}, nil},
		"admin.svc":                      {"this is no Service", []string{"admin.svc"}, nil},
		"127.0.0.1":                      {"on loopback", nil, []net.IP{net.ParseIP("127.0.0.1")}},
		"fd00::1":                        {"as url.Hostname has it", nil, []net.IP{net.ParseIP("fd00::1")}},
	}
	for host, tt := range tests {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			names, addresses := namesOf(host)
			if !slices.Equal(names, tt.names) || !slices.EqualFunc(addresses, tt.addresses, net.IP.Equal) {
				t.Errorf("%v, %v; want %v, %v: %s", names, addresses, tt.names, tt.addresses, tt.reason)
			}
			data, _ := completed(t, nil, host, begin)
			if err := verify(data, data, host, begin); err != nil {
				t.Errorf("a caller: %v", err)
			}
			if _, s := completed(t, data, host, begin); len(s.changes) > 0 {
				t.Error("it is made again at once")
			}
		})
	}
}

func TestOwnCertificateIsRenewed(t *testing.T) {
	t.Parallel()
	pair := []string{certificateKey, privateKey}
	tests := map[string]struct {
		reason string
		at     time.Time
		host   string
		change func(data map[string][]byte)
		want   []string
	}{
		"Young":         {reason: "steady state writes nothing", at: begin.Add(59 * day)},
		"TwoThirds":     {reason: "there is time left to notice that it fails", at: begin.Add(60 * day), want: pair},
		"Expired":       {reason: "the manager was away", at: begin.Add(200 * day), want: pair},
		"OtherHost":     {reason: "--receiver-admin-url was changed", at: begin, host: "admin.other.svc", want: pair},
		"OtherAddress":  {reason: "it is an address now", at: begin, host: "127.0.0.1", want: pair},
		"ClockWentBack": {reason: "a certificate from the future is of no use, nor is its authority", at: begin.Add(-day), want: []string{authoritiesKey, authorityKeyKey, certificateKey, privateKey}},
		"Authority":     {reason: "its successor is known for years before it has to be", at: begin.Add(authorityLife * 2 / 3), want: pair},
		"LostKey":       {reason: "callers trust the old authority until the next certificate", at: begin, change: func(d map[string][]byte) { delete(d, authorityKeyKey) }, want: []string{authoritiesKey, authorityKeyKey}},
		"BrokenKey":     {reason: "as if it were lost", at: begin, change: func(d map[string][]byte) { d[authorityKeyKey] = []byte("x") }, want: []string{authoritiesKey, authorityKeyKey}},
		"OtherKey":      {reason: "as if it were lost", at: begin, change: func(d map[string][]byte) { d[authorityKeyKey] = d[privateKey] }, want: []string{authoritiesKey, authorityKeyKey}},
		"PairRemoved":   {reason: "somebody wants a new one", at: begin, change: func(d map[string][]byte) { delete(d, certificateKey); delete(d, privateKey) }, want: pair},
		"AllRemoved": {reason: "somebody wants all new, and ca.key is nobody's", at: begin, change: func(d map[string][]byte) {
			maps.DeleteFunc(d, func(k string, _ []byte) bool { return k[0] == 't' && k != tokenKey || k == authoritiesKey })
		}, want: []string{authoritiesKey, authorityKeyKey, certificateKey, privateKey}},
		"TokenRemoved": {reason: "somebody wants a new one", at: begin, change: func(d map[string][]byte) { delete(d, tokenKey) }, want: []string{tokenKey}},
		"TokenBlank":   {reason: "the receiver takes no such file", at: begin, change: func(d map[string][]byte) { d[tokenKey] = []byte(" \n") }, want: []string{tokenKey}},
		"Tokens":       {reason: "two hold while one is replaced", at: begin, change: func(d map[string][]byte) { d[tokenKey] = []byte("new\nold\n") }},
		"MoreAuthority": {reason: "somebody is about to change over to their own", at: begin, change: func(d map[string][]byte) {
			d[authoritiesKey] = append(bytes.Clone(d[authoritiesKey]), made(t, begin)[authoritiesKey]...)
		}},
		"SomethingElse":  {reason: "it is none of our business", at: begin, change: func(d map[string][]byte) { d["other"] = []byte("x") }},
		"ExpiredAndHost": {reason: "one of the two is reason enough", at: begin.Add(61 * day), host: "admin.other.svc", want: pair},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := made(t, begin)
			if tt.change != nil {
				tt.change(data)
			}
			at := host
			if tt.host != "" {
				at = tt.host
			}
			after, s := completed(t, data, at, tt.at)
			if got := s.written(); !slices.Equal(got, tt.want) || s.wrong != nil {
				t.Errorf("writes %v (%v), want %v: %s", got, s.wrong, tt.want, tt.reason)
			}
			if err := verify(after, after, at, tt.at); err != nil {
				t.Errorf("a caller afterwards: %v", err)
			}
		})
	}
}

// TestNoCallerIsTurnedAway goes through fifteen years. Whenever something is written, some callers and the receiver
// have what was there before, and some have what is there now.
func TestNoCallerIsTurnedAway(t *testing.T) {
	t.Parallel()
	data, authorities, certificates := made(t, begin), 0, 0
	for now := begin; now.Before(begin.AddDate(15, 0, 0)); now = now.Add(20 * day) {
		after, s := completed(t, data, host, now)
		if len(s.changes) == 0 {
			continue
		}
		if len(s.changes[authoritiesKey]) > 0 {
			authorities++
		}
		if len(s.changes[certificateKey]) > 0 {
			certificates++
		}
		for name, err := range map[string]error{
			"a receiver that has the old certificate, and a caller that has the new authorities": verify(data, after, host, now),
			"a receiver that has the new certificate, and a caller that has the old authorities": verify(after, data, host, now),
		} {
			if err != nil {
				t.Fatalf("at %s, writing %v: %s: %v", now, s.written(), name, err)
			}
		}
		data = after
	}
	if authorities != 2 || certificates != 91 {
		t.Errorf("%d authorities and %d certificates in fifteen years", authorities, certificates)
	}
	if n := len(parseCertificates(data[authoritiesKey])); n > 2 {
		t.Errorf("%d authorities are trusted in the end: those that expired stay", n)
	}
}
