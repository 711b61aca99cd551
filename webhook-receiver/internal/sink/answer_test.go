package sink

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		reason string
		value  string
		want   time.Duration
	}{
		"Absent":     {"Nothing is asked for.", "", 0},
		"Seconds":    {"The usual form.", "120", 2 * time.Minute},
		"Spaces":     {"Around a header's value they mean nothing.", " 5 ", 5 * time.Second},
		"Zero":       {"At once.", "0", 0},
		"Date":       {"The other form.", now.Add(time.Minute).Format(http.TimeFormat), time.Minute},
		"PastDate":   {"A time that has come.", now.Add(-time.Minute).Format(http.TimeFormat), 0},
		"FarDate":    {"Not more than a duration can hold.", "Fri, 31 Dec 9999 23:59:59 GMT", maxRetryAfter},
		"Huge":       {"Likewise.", "99999999999999999999999", maxRetryAfter},
		"NotAsHuge":  {"Likewise, though it can be read.", "9999999999999", maxRetryAfter},
		"Negative":   {"Not a form of it.", "-1", 0},
		"Fraction":   {"Not a form of it.", "1.5", 0},
		"Word":       {"Not a form of it.", "soon", 0},
		"OtherDigit": {"Digits are ASCII.", "١", 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := retryAfter(tc.value, now); got != tc.want {
				t.Errorf("%s: got %v, want %v", tc.reason, got, tc.want)
			}
		})
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "120", "-1", "1e9", "Sun, 22 Nov 2026 08:01:00 GMT", "99999999999999999999"} {
		f.Add(seed, int64(1795334400))
	}
	f.Fuzz(func(t *testing.T, value string, now int64) {
		if got := retryAfter(value, time.Unix(now, 0)); got < 0 || got > maxRetryAfter {
			t.Errorf("%q: got %v", value, got)
		}
	})
}

func TestQuote(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		text   string
		want   string
	}{
		"Text":      {"What the sink says is the best hint there is.", "no such tenant\n", "no such tenant"},
		"Lines":     {"On one line.", "a\r\n\tb", "a b"},
		"Page":      {"A page for browsers begins with nothing of use.", "\n<!DOCTYPE html>", ""},
		"Binary":    {"People cannot read it.", "ok\x00\x01", ""},
		"Escape":    {"A terminal would obey it.", "\x1b[2J", ""},
		"BrokenEnd": {"The reading ended within a letter.", "f\xc3\xbcr \xc3", "für"},
		"Broken":    {"Not text at all.", "\xff\xfe text", ""},
		"Long":      {"Only a beginning.", strings.Repeat("ü", 200), strings.Repeat("ü", maxQuote) + "…"},
		"Bidi":      {"It would turn the rest of the line around.", "a\u202eb", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := quote([]byte(tc.text)); got != tc.want {
				t.Errorf("%s: got %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

func FuzzError(f *testing.F) {
	f.Add("the sink answered 400 Bad Request", []byte("no such tenant"))
	f.Add(strings.Repeat("ü", 200), []byte("f\xc3\xbcr \xc3"))
	f.Fuzz(func(t *testing.T, reason string, answer []byte) {
		e := &Error{Kind: ErrRefused, Reason: reason, Answer: quote(answer)}
		if text := e.Error(); len(text) > maxMessage || utf8.ValidString(reason) && !utf8.ValidString(text) {
			t.Errorf("got %d bytes: %q", len(text), text)
		}
	})
}

func FuzzPercent(f *testing.F) {
	for _, seed := range []string{"", "a b", `"`, "100%", "ü", "\xff", "\r\nX: y", "🧾"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got := percent(value)
		for i := range len(got) {
			if c := got[i]; c <= ' ' || c > '~' || c == '"' {
				t.Fatalf("%q: got %q, which has byte %#x", value, got, c)
			}
		}
		if back := unpercent(t, got); back != strings.ToValidUTF8(value, "\ufffd") && utf8.ValidString(value) {
			t.Errorf("%q: got %q, which is %q", value, got, back)
		}
	})
}

// unpercent undoes percent as the protocol binding says.
func unpercent(t *testing.T, s string) string {
	t.Helper()
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			out.WriteByte(s[i])
			continue
		}
		var c byte
		if _, err := fmt.Sscanf(s[i+1:i+3], "%02X", &c); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		out.WriteByte(c)
		i += 2
	}
	return out.String()
}
