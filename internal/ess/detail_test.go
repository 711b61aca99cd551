package ess

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestFaultTextOfKnownForms(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ reason, body, want string }{
		"Sibling":    {"Message, parts and id, without the time.", string(published(t, "list-v4-400.json")), "Please check your request parameter; requests: size must be between 1 and 250 (request.validation.error)"},
		"SiblingOld": {"Without a message the id has to do.", string(published(t, "detokenizer-v5-401.json")), "UNAUTHORIZED"},
		"OAuth2":     {"Description first, then the name.", string(published(t, "token-error-code-108.json")), "bad or expired refresh token (invalid_grant)"},
		"Message":    {"ESS's own answers have this member.", `{"message":"no"}`, "no"},
		"Classic":    {"The form of the older APIs.", `{"StatusCode":400,"Content":{"Error":{"Message":"bad","Server-Time":"x","Id":"1"}}}`, "bad"},
		"OddTypes":   {"An odd member hides none of the others.", `{"error":{"id":7,"message":"no"},"Content":"x","validationErrors":"y","message":1}`, "no"},
		"Unknown":    {"Better the whole than nothing.", `{"fault":"x"}`, `{"fault":"x"}`},
		"PlainText":  {"Likewise.", "Bad Gateway", "Bad Gateway"},
		"Number":     {"JSON need not be an object.", "7", "7"},
		"Empty":      {"Nothing is nothing.", "", ""},
	}
	for name, tc := range tests {
		if got := decodeFault([]byte(tc.body)).text(); got != tc.want {
			t.Errorf("%s: %s\ngot  %s\nwant %s", name, tc.reason, got, tc.want)
		}
	}
}

func TestLineIsFitToBeShown(t *testing.T) {
	t.Parallel()
	token := jwt(`{"sub":"a"}`)
	scrub := newScrubber(`s3cr&t "x"`, testSecret).with("opaque-token")
	tests := map[string]struct{ reason, in, want string }{
		"Secret":      {"Ours, word for word.", "bad " + testSecret + "!", "bad [redacted]!"},
		"FormSecret":  {"As a form would repeat it.", "x=s3cr%26t+%22x%22", "x=[redacted]"},
		"JSONSecret":  {"As JSON would repeat it.", `{"a":"s3cr\u0026t \"x\""}`, `{"a":"[redacted]"}`},
		"Token":       {"The token of this call.", "opaque-token expired", "[redacted] expired"},
		"JWT":         {"Anyone's token.", "got " + token, "got [redacted]"},
		"CutJWT":      {"Part of a token is still one.", "got " + token[:20] + "***", "got [redacted]"},
		"Bearer":      {"A header repeated.", "Authorization: Bearer abc.def", "Authorization: [redacted]"},
		"Form":        {"Somebody's form.", "grant&client_secret=abc&x=1", "grant&[redacted]&x=1"},
		"JSON":        {"Somebody's JSON.", `{"access_token": "abc","x":1}`, `{"[redacted]","x":1}`},
		"Controls":    {"No line breaks or escape codes in logs.", "a\r\n\x1b[31mb\u202e\u200bc\x00", "a [31mbc"},
		"BrokenUTF8":  {"Kubernetes refuses it.", "a\xffb", "ab"},
		"SplitSecret": {"Control characters must not hide a secret.", testSecret[:5] + "\x00" + testSecret[5:], "[redacted]"},
	}
	for name, tc := range tests {
		if got := scrub.line(tc.in); got != tc.want {
			t.Errorf("%s: %s\ngot  %q\nwant %q", name, tc.reason, got, tc.want)
		}
	}
}

func TestLineIsCutAfterItIsScrubbed(t *testing.T) {
	t.Parallel()
	got := newScrubber(testSecret).line(strings.Repeat("é", maxDetail-10) + testSecret)
	if n := utf8.RuneCountInString(got); n != maxDetail || strings.Contains(got, testSecret[:5]) {
		t.Errorf("got %d runes: %s", n, got)
	}
}

func TestHalfASecretAtTheEndOfALongBodyIsNotShown(t *testing.T) {
	t.Parallel()
	invisible := strings.Repeat("\x00", maxRefusal-5-len("sorry "))
	client := newConcur(t, answers(500, "sorry "+invisible+" "+testSecret)).client(t)
	const want = "listing topics: service unavailable: sorry (HTTP 500)"
	if err := callTopics(t.Context(), client); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		reason, value string
		want          time.Duration
	}{
		"Seconds":  {"The common form.", " 120 ", 2 * time.Minute},
		"Zero":     {"Published by a sibling service.", "0", 0},
		"Date":     {"The other form.", now.Add(90 * time.Second).Format(http.TimeFormat), 90 * time.Second},
		"Past":     {"A date gone by asks for nothing.", now.Add(-time.Hour).Format(http.TimeFormat), 0},
		"Negative": {"Not a number of seconds.", "-5", 0},
		"Days":     {"One header must not silence an application.", "864000", time.Hour},
		"FarDate":  {"Likewise.", now.AddDate(1, 0, 0).Format(http.TimeFormat), time.Hour},
		"Overflow": {"Likewise.", strings.Repeat("9", 40), time.Hour},
		"Words":    {"Not understood.", "soon", 0},
		"None":     {"Not said.", "", 0},
	}
	for name, tc := range tests {
		if got := ParseRetryAfter(tc.value, now); got != tc.want {
			t.Errorf("%s: %s\ngot %v, want %v", name, tc.reason, got, tc.want)
		}
	}
}

func TestNothingPrintedHoldsASecret(t *testing.T) {
	t.Parallel()
	server := newConcur(t, func(w http.ResponseWriter, r *http.Request) {
		answers(400, r.Header.Get("Authorization")+" "+testSecret)(w, r)
	})
	client := server.client(t)
	err := callPut(t.Context(), client)
	cfg := Config{BaseURL: "https://us.example", ClientSecret: testSecret}
	asJSON, _ := json.Marshal(err)
	for _, text := range []string{
		fmt.Sprintf("%v %+v %#v %s", err, err, err, asJSON), fmt.Sprintf("%v %+v %#v", client, client, client), fmt.Sprintf("%v %+v %#v", cfg, cfg, cfg),
	} {
		if strings.Contains(text, testSecret) || strings.Contains(text, "token-1") {
			t.Errorf("a secret shows in %s", text)
		}
	}
}
