package adminsecret

import (
	"bytes"
	"crypto/x509/pkix"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// somebodys is a pair with its authority that somebody else made, as data of a Secret.
func somebodys(t testing.TB, host string, now time.Time) map[string][]byte {
	t.Helper()
	made, err := newAuthority(now)
	if err != nil {
		t.Fatal(err)
	}
	template := *made.certificate
	template.RawSubject, template.Subject = nil, pkix.Name{CommonName: "somebody's authority"}
	if made.certificate, err = sign(&template, &template, made.key.Public(), made.key); err != nil {
		t.Fatal(err)
	}
	certificate, key, err := made.issue(host, now)
	if err != nil {
		t.Fatal(err)
	}
	text, err := encodeKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		tokenKey: []byte("somebody's token\n"), certificateKey: encodeCertificates(certificate), privateKey: text, authoritiesKey: encodeCertificates(made.certificate),
	}
}

// without takes keys away.
func without(keys ...string) func(map[string][]byte) {
	return func(d map[string][]byte) {
		for _, key := range keys {
			delete(d, key)
		}
	}
}

func TestOthersCertificatesAreLeftAlone(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		at     time.Time
		change func(data map[string][]byte)
		event  string
		says   string
	}{
		"Good":          {reason: "there is nothing to say", at: begin},
		"Old":           {reason: "whoever issued it renews it", at: begin.Add(80 * day)},
		"Expired":       {reason: "nobody renewed it", at: begin.Add(91 * day), event: "AdminCertificateInvalid", says: "to 2027-02-20T12:00:00Z only"},
		"NotYet":        {reason: "a clock is wrong", at: begin.Add(-day), event: "AdminCertificateInvalid", says: "from 2026-11-22T11:00:00Z"},
		"OtherHost":     {reason: "callers would refuse it", at: begin, change: func(d map[string][]byte) { maps.Copy(d, somebodys(t, "a.b.svc", begin)) }, event: "AdminCertificateInvalid", says: "is not for " + host},
		"OtherCA":       {reason: "callers would refuse it", at: begin, change: func(d map[string][]byte) { d[authoritiesKey] = made(t, begin)[authoritiesKey] }, event: "AdminCertificateInvalid", says: "does not hold against ca.crt"},
		"RubbishCA":     {reason: "callers would refuse it", at: begin, change: func(d map[string][]byte) { d[authoritiesKey] = []byte("rubbish") }, event: "AdminCertificateInvalid", says: "does not hold against ca.crt"},
		"OtherKey":      {reason: "the receiver would refuse it", at: begin, change: func(d map[string][]byte) { d[privateKey] = somebodys(t, host, begin)[privateKey] }, event: "AdminCertificateInvalid", says: "and its key"},
		"OwnKey":        {reason: "a person is replacing both, one after the other", at: begin, change: func(d map[string][]byte) { d[privateKey] = made(t, begin)[privateKey] }, event: "AdminCertificateInvalid", says: "and its key"},
		"Rubbish":       {reason: "the receiver would refuse it", at: begin, change: func(d map[string][]byte) { d[certificateKey] = []byte("rubbish") }, event: "AdminCertificateInvalid", says: "not a certificate in PEM"},
		"NoKey":         {reason: "ours would not fit", at: begin, change: without(privateKey), event: "AdminSecretIncomplete", says: "has tls.crt and no tls.key"},
		"NoCertificate": {reason: "ours would not fit", at: begin, change: without(certificateKey), event: "AdminSecretIncomplete", says: "has tls.key and no tls.crt"},
		"NoCA":          {reason: "nobody could trust it", at: begin, change: without(authoritiesKey), event: "AdminSecretIncomplete", says: "add ca.crt"},
		"CAAlone":       {reason: "ours would not be signed by it", at: begin, change: without(certificateKey, privateKey), event: "AdminSecretIncomplete", says: "has ca.crt and no tls.crt and tls.key"},
		"OursBefore":    {reason: "cert-manager wrote over ours, and our key is left", at: begin, change: func(d map[string][]byte) { d[authorityKeyKey] = made(t, begin)[authorityKeyKey] }},
		"BothTrusted": {reason: "callers change over from ours", at: begin.Add(70 * day), change: func(d map[string][]byte) {
			ours := made(t, begin)
			d[authorityKeyKey], d[authoritiesKey] = ours[authorityKeyKey], append(bytes.Clone(ours[authoritiesKey]), d[authoritiesKey]...)
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := somebodys(t, host, begin)
			if tt.change != nil {
				tt.change(data)
			}
			_, s := completed(t, data, host, tt.at)
			if len(s.changes) > 0 {
				t.Errorf("writes %v: %s", s.written(), tt.reason)
			}
			told := trouble{}
			if s.wrong != nil {
				told = *s.wrong
			}
			if told.reason != tt.event || !strings.Contains(told.text, tt.says) {
				t.Errorf("tells %+v, want %s with %q: %s", told, tt.event, tt.says, tt.reason)
			}
			delete(data, tokenKey)
			if _, s := completed(t, data, host, tt.at); !slices.Equal(s.written(), []string{tokenKey}) {
				t.Errorf("a missing token is not all that is written: %v", s.written())
			}
		})
	}
}
