package adminsecret

import (
	"bytes"
	"crypto/x509"
	"maps"
	"slices"
	"testing"
	"time"
)

// A mixture is a Secret whose keys come from different hands. Whatever it is, expectPromises holds it to what people are
// promised of the Secret.

// hands are Secrets of which parts are mixed, by who filled them.
func hands(t testing.TB) []map[string][]byte {
	t.Helper()
	fill := func(now time.Time) map[string][]byte {
		s, err := complete(nil, host, now)
		if err != nil {
			t.Fatal(err)
		}
		return s.changes
	}
	ours, oursToo, expired := fill(begin), fill(begin), fill(begin.Add(-authorityLife-day))
	both := map[string][]byte{}
	for key := range ours {
		both[key] = slices.Concat(ours[key], oursToo[key])
	}
	broken := map[string][]byte{}
	for key, text := range ours {
		broken[key] = text[:len(text)/2]
	}
	return []map[string][]byte{nil, ours, oursToo, both, somebodys(t, host, begin), expired, broken}
}

// TestEveryMixture mixes certificate, key, authorities and authority's key, at times when nothing, the certificate and the
// authority are due, and shortly before the authority ends.
func TestEveryMixture(t *testing.T) {
	t.Parallel()
	all := hands(t)
	pairs := [][2]int{{0, 0}, {1, 1}, {3, 3}, {4, 4}, {5, 5}, {1, 0}, {0, 1}, {1, 4}, {6, 1}} // of one hand, and of several
	for _, pair := range pairs {
		for authorities := range all {
			for authorityKey := range all[:5] {
				for _, at := range []time.Duration{0, 70 * day, 8 * 365 * day, authorityLife - 50*day} {
					expectPromises(t, map[string][]byte{
						tokenKey: []byte("t"), certificateKey: all[pair[0]][certificateKey], privateKey: all[pair[1]][privateKey],
						authoritiesKey: all[authorities][authoritiesKey], authorityKeyKey: all[authorityKey][authorityKeyKey],
					}, begin.Add(at))
					if t.Failed() {
						t.Fatalf("certificate and key of the hands %d, authorities of %d, key of %d, after %s", pair, authorities, authorityKey, at)
					}
				}
			}
		}
	}
}

// FuzzComplete mixes in what nobody thought of: each byte of parts says who filled a key, and any says what is there
// where nobody did, or is put behind it.
func FuzzComplete(f *testing.F) {
	all := hands(f)
	pem := all[1][certificateKey]
	for _, seed := range []struct {
		parts, any []byte
		days       int16
	}{
		{[]byte{1, 1, 1, 1, 1}, nil, 0},
		{[]byte{7, 4, 4, 4, 4}, []byte(" \n"), 91},
		{[]byte{1, 1, 1, 7, 7}, []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), 61},
		{[]byte{1, 7, 4, 14, 1}, []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), -1},
		{[]byte{1, 7, 1, 12, 2}, pem, 3000},
		{[]byte{1, 1, 1, 3, 0}, nil, 3000},
		{[]byte{1, 1, 4, 1, 1}, nil, 1},
		{[]byte{1, 0, 0, 4, 0}, nil, 1},
		{[]byte{1, 1, 1, 1, 2}, nil, 70},
		{[]byte{1, 1, 1, 1, 1}, nil, 3600},
	} {
		f.Add(seed.parts, seed.any, seed.days)
	}
	f.Fuzz(func(t *testing.T, parts, anything []byte, days int16) {
		data := map[string][]byte{}
		for i, key := range []string{tokenKey, certificateKey, privateKey, authoritiesKey, authorityKeyKey} {
			if i >= len(parts) {
				break
			}
			hand := int(parts[i]) % (2*len(all) + 1) // as it is, or with anything behind it; or anything alone
			if hand < len(all) {
				data[key] = all[hand][key]
			} else {
				data[key] = append(bytes.Clone(all[(hand-len(all))%len(all)][key]), anything...)
			}
		}
		expectPromises(t, data, begin.Add(time.Duration(days)*day))
	})
}

// expectPromises completes a Secret, and holds what was done to what is promised.
func expectPromises(t *testing.T, before map[string][]byte, now time.Time) {
	t.Helper()
	after, s := completed(t, before, host, now)
	for promise, broken := range map[string]func(before, after map[string][]byte, s *secret) bool{
		"a token is made where there is none, and never replaced":            tokenReplaced,
		"what others put there stays, and trouble is left to people":         othersTouched,
		"a certificate goes with its key":                                    pairTorn,
		"where all is said to be well callers agree, to a certificate's end": callersRefuse,
		"who is trusted stays trusted":                                       trustLost,
	} {
		if broken(before, after, s) {
			t.Errorf("%s: wrote %v and told %+v at %s", promise, s.written(), s.wrong, now)
		}
	}
	_, again := completed(t, after, host, now)
	if s.changes[authoritiesKey] == nil && slices.Equal(again.written(), []string{authoritiesKey, authorityKeyKey}) {
		_, again = completed(t, merged(after, again.changes), host, now) // the certificate went first, and the authority is due too
	}
	if len(again.changes) > 0 || (again.wrong == nil) != (s.wrong == nil) {
		t.Errorf("what was written is enough: wrote %v, then %v (%+v) at %s", s.written(), again.written(), again.wrong, now)
	}
}

func tokenReplaced(before, _ map[string][]byte, s *secret) bool {
	return (s.changes[tokenKey] == nil) != (len(bytes.TrimSpace(before[tokenKey])) > 0)
}

func othersTouched(before, _ map[string][]byte, s *secret) bool {
	written := slices.DeleteFunc(s.written(), func(key string) bool { return key == tokenKey })
	return len(written) > 0 && (!mayWrite(before) || s.wrong != nil)
}

func pairTorn(_, _ map[string][]byte, s *secret) bool {
	return (s.changes[certificateKey] == nil) != (s.changes[privateKey] == nil) || (s.changes[authoritiesKey] == nil) != (s.changes[authorityKeyKey] == nil)
}

func callersRefuse(_, after map[string][]byte, s *secret) bool {
	if s.wrong != nil {
		return false
	}
	leaf := parseCertificates(after[certificateKey])[0]
	end := s.now
	if s.changes[certificateKey] != nil {
		end = leaf.NotAfter
	}
	return verify(after, after, host, s.now) != nil || verify(after, after, host, end) != nil || !s.notAfter.Equal(leaf.NotAfter)
}

func trustLost(before, after map[string][]byte, s *secret) bool {
	left := parseCertificates(after[authoritiesKey])
	return slices.ContainsFunc(parseCertificates(before[authoritiesKey]), func(c *x509.Certificate) bool {
		return s.now.Before(c.NotAfter) && !slices.ContainsFunc(left, c.Equal)
	})
}

// merged is data with changes over it.
func merged(data, changes map[string][]byte) map[string][]byte {
	all := maps.Clone(data)
	maps.Copy(all, changes)
	return all
}

// mayWrite says whether certificate and authorities are the manager's to make: there is none of both, or they are its own.
func mayWrite(data map[string][]byte) bool {
	chain, authorities := parseCertificates(data[certificateKey]), parseCertificates(data[authoritiesKey])
	byUs := slices.ContainsFunc(authorities, func(c *x509.Certificate) bool {
		return c.IsCA && c.Subject.CommonName == authorityName && (len(chain) == 0 || chain[0].CheckSignatureFrom(c) == nil)
	})
	if len(data[certificateKey])+len(data[privateKey]) == 0 {
		return len(data[authoritiesKey]) == 0 || byUs
	}
	return len(data[certificateKey]) > 0 && len(data[privateKey]) > 0 && len(chain) > 0 && byUs
}
