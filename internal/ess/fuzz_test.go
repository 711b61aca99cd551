package ess

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// seed adds every published sample whose name begins so; a corpus that went missing fails the test.
func seed(f *testing.F, prefixes ...string) {
	f.Helper()
	for _, prefix := range prefixes {
		paths, err := filepath.Glob("testdata/published/" + prefix + "*.json")
		if err != nil || len(paths) == 0 {
			f.Fatalf("no samples %s* (%v)", prefix, err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
}

func FuzzTopics(f *testing.F) {
	seed(f, "topics-response")
	f.Fuzz(func(t *testing.T, body []byte) {
		topics, err := decodeTopics(body)
		if (topics == nil) != (err != nil) {
			t.Errorf("got %v and error %v", topics, err)
		}
	})
}

func FuzzSubscriptions(f *testing.F) {
	seed(f, "subscription-list", "subscription-get")
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := decodeSubscriptions(body)
		if (list == nil) != (err != nil) {
			t.Errorf("got %v and error %v", list, err)
		}
		for _, s := range list {
			if one, err := decodeSubscription(body, s.ID); err != nil || one.ID != s.ID {
				t.Errorf("a subscription listed cannot be read from the same answer: %v, %v", one, err)
			}
		}
	})
}

func FuzzSubscription(f *testing.F) {
	seed(f, "subscription")
	f.Add([]byte(`{"id":"my-unique-subscription-id"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		const id = "my-unique-subscription-id"
		if s, err := decodeSubscription(body, id); err == nil && s.ID != id {
			t.Errorf("got another subscription: %+v", s)
		}
	})
}

func FuzzGrant(f *testing.F) {
	seed(f, "token-response")
	f.Fuzz(func(t *testing.T, body []byte) {
		g, err := decodeGrant(body)
		if err != nil {
			return
		}
		if g.life < time.Second || g.life > maxLife || !sendable(g.text) {
			t.Errorf("got life %v, token %q", g.life, g.text)
		}
	})
}

func FuzzGrantFault(f *testing.F) {
	seed(f, "token-error")
	f.Fuzz(func(t *testing.T, body []byte) {
		fault := decodeGrantFault(body)
		for status := 300; status < 600; status++ {
			if fault.kind(status) == nil {
				t.Fatalf("HTTP %d has no kind", status)
			}
		}
	})
}

func FuzzFault(f *testing.F) {
	seed(f, "list-v4", "detokenizer", "token-error")
	f.Add([]byte("Bearer " + testSecret + "\x00\r\n"))
	scrub := newScrubber(testSecret)
	f.Fuzz(func(t *testing.T, body []byte) {
		line := scrub.line(decodeFault(body).text())
		if utf8.RuneCountInString(line) > maxDetail || !utf8.ValidString(line) {
			t.Errorf("not short, or not UTF-8: %q", line)
		}
		if strings.ContainsFunc(line, unicode.IsControl) || strings.Contains(line, testSecret) {
			t.Errorf("not fit to be shown: %q", line)
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for _, value := range []string{"0", "120", "-1", "Mon, 01 Jun 2026 12:00:30 GMT", "99999999999999999999"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if wait := ParseRetryAfter(value, now); wait < 0 || wait > maxRetryAfter {
			t.Errorf("got %v", wait)
		}
	})
}

func FuzzJWTSubject(f *testing.F) {
	f.Add(jwt(`{"sub":"b2cf4262-e2b9-41b2-9d2f-6fe1b8d0f176"}`))
	f.Add("access_token")
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		if sub := jwtSubject(token); sub != "" && !plainID(sub) {
			t.Errorf("got %q", sub)
		}
	})
}

func FuzzLife(f *testing.F) {
	for _, value := range []string{`3600`, `"3600"`, `null`, `-1`, `1e9`, `"99999999999999999999"`} {
		f.Add([]byte(value))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if life, err := decodeLife(data); err == nil && (life < time.Second || life > maxLife) {
			t.Errorf("got %v", life)
		}
	})
}
