package admin_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/admin"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason  string
		headers []string
		file    string
		want    bool
	}{
		"Right":        {"A token of the file lets in.", []string{"Bearer one"}, "one", true},
		"OtherCase":    {"Schemes have no case (RFC 9110).", []string{"bearer one"}, "one", true},
		"First":        {"Both tokens are valid while one replaces the other.", []string{"Bearer one"}, "one\ntwo\n", true},
		"Second":       {"Both tokens are valid while one replaces the other.", []string{"Bearer two"}, "one\ntwo\n", true},
		"Windows":      {"Editors end lines in two ways.", []string{"Bearer one"}, "one\r\ntwo\r\n", true},
		"Twice":        {"The same line twice is not two wrongs.", []string{"Bearer one"}, "one\n" + "one\n", true},
		"Wrong":        {"Another token is none.", []string{"Bearer two"}, "one", false},
		"Shorter":      {"A part of a token is none.", []string{"Bearer on"}, "one", false},
		"Longer":       {"More than a token is none.", []string{"Bearer onetwo"}, "one", false},
		"BothLines":    {"A token is one line.", []string{"Bearer one\ntwo"}, "one\ntwo", false},
		"NoFile":       {"Without a token nobody is let in, rather than everybody.", []string{"Bearer "}, "", false},
		"BlankLine":    {"A blank line is no token.", []string{"Bearer "}, "\n \n", false},
		"BlankAndMore": {"A blank line is no token beside one either.", []string{"Bearer"}, "one\n\n", false},
		"Basic":        {"Another scheme is not ours.", []string{"Basic one"}, "one", false},
		"Bare":         {"A token needs its scheme.", []string{"one"}, "one", false},
		"None":         {"Who says nothing is nobody.", nil, "one", false},
		"TwoHeaders":   {"Of two headers a proxy may have checked the other.", []string{"Bearer one", "Bearer one"}, "one", false},
		"Long":         {"Length costs hashing only.", []string{"Bearer " + strings.Repeat("x", 1<<14)}, "one", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := admin.Admitted(tc.headers, tc.file); got != tc.want {
				t.Errorf("%s\nadmitted: %t, want %t", tc.reason, got, tc.want)
			}
		})
	}
}

// Every endpoint but the probes is closed, whatever way its path is written.
func TestAllButProbesNeedAToken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.fill()
	paths := []string{"/", "/nothing", "/v1", "//healthz", "/healthz/", "/healthz/../v1/events", "/readyz/x", "/HEALTHZ", "/debug/pprof/"}
	open := 0
	for _, e := range b.Endpoints() {
		if e.Open {
			open++
			if w := anonymous(b, e.Method, e.Path); w.Code != http.StatusOK {
				t.Errorf("%s: status %d without a token, want 200", e.Path, w.Code)
			}
			continue
		}
		paths = append(paths, strings.ReplaceAll(e.Path, "{seq}", "1"))
	}
	if open != 2 {
		t.Errorf("%d endpoints are open, want /healthz and /readyz", open)
	}
	for _, path := range paths {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodHead, http.MethodOptions} {
			w := anonymous(b, method, path)
			if w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s %s: status %d, header %v, want 401 with WWW-Authenticate", method, path, w.Code, w.Header())
			}
			refused(t, w, http.StatusUnauthorized)
		}
	}
}

func anonymous(b *bench, method, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "https://localhost", nil)
	r.URL.Path = path
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return w
}

func TestRotatedTokenActsAtOnce(t *testing.T) {
	t.Parallel()
	var file atomic.Value
	file.Store(token)
	b := newBench(t, func(c *admin.Config) { c.Token = func() string { return file.Load().(string) } })
	for _, step := range []struct {
		reason, file string
		want         int
	}{
		{"The token of the file is valid.", token, http.StatusOK},
		{"While both stand in the file, the old one is still valid.", "new\n" + token, http.StatusOK},
		{"Once the old one is gone from the file, it is gone.", "new", http.StatusUnauthorized},
		{"A file that is empty by mistake opens nothing.", "", http.StatusUnauthorized},
	} {
		file.Store(step.file)
		if w := b.get("/v1/statistics"); w.Code != step.want {
			t.Errorf("%s\nstatus %d, want %d", step.reason, w.Code, step.want)
		}
	}
}
