package statistics

import (
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const token = "s3cret-token"

// admin is an admin port, and how to reach it.
func admin(t *testing.T, handler http.HandlerFunc) Receiver {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	r := Receiver{URL: server.URL, TokenFile: filepath.Join(dir, "token"), CAFile: filepath.Join(dir, "ca.pem")}
	write(t, r.TokenFile, token+"\n")
	write(t, r.CAFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	return r
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAsk(t *testing.T) {
	t.Parallel()
	// A test of the receiver holds this file against what the receiver writes.
	answer, err := os.ReadFile("testdata/statistics.json")
	if err != nil {
		t.Fatal(err)
	}
	r := admin(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/v1/statistics" || r.Header.Get("Authorization") != "Bearer "+token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write(answer)
	})
	routes, err := r.ask(t.Context())
	if err != nil || len(routes) != 1 {
		t.Fatalf("%+v, %v", routes, err)
	}
	day := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	want := route{
		Received: 7, Pending: 2, DeadLettered: 1, LastError: "no",
		LastEventTime: day.Add(11 * time.Hour), OldestPending: day.Add(10 * time.Hour),
		Refusals: &refusals{Since: day.AddDate(0, 0, -2), Reason: "unproven"},
	}
	want.Route.Kind, want.Route.Namespace, want.Route.Name = "subscription", "finance", "reports"
	if diff := cmp.Diff(want, routes[0]); diff != "" {
		t.Errorf("what was told (-want +got):\n%s", diff)
	}
}

// While a token is replaced, the file has two, and the receiver may have either.
func TestAskWithOneOfTwoTokens(t *testing.T) {
	t.Parallel()
	for _, lines := range []string{"new\n" + token, token + "\nnew\n"} {
		r := admin(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer "+token {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			_, _ = io.WriteString(w, `{"routes":[]}`)
		})
		write(t, r.TokenFile, lines)
		if _, err := r.ask(t.Context()); err != nil {
			t.Errorf("with %q: %v", lines, err)
		}
	}
}

func TestAskFails(t *testing.T) {
	t.Parallel()
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); _, _ = io.WriteString(w, body) }
	}
	tests := map[string]struct {
		reason  string
		handler http.HandlerFunc
		spoil   func(t *testing.T, r *Receiver)
		kind    error
		says    string
	}{
		"WrongToken":  {"somebody rotated one of the two", answer(401, ""), nil, errRefused, "does not accept the token"},
		"Unavailable": {"it starts", answer(503, ""), nil, errInvalid, "HTTP 503"},
		"Garbage":     {"another program has the port", answer(200, "<html>"), nil, errInvalid, "not the receiver"},
		"NoRoutes":    {"another JSON", answer(200, `{"routes":null}`), nil, errInvalid, "not the receiver"},
		"OtherShape":  {"another version", answer(200, `{"routes":[{"received":-1}]}`), nil, errInvalid, "another version"},
		"Redirect": {"the token must not go elsewhere", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example.com/", http.StatusFound)
		}, nil, errInvalid, "HTTP 302"},
		"Huge": {"memory is bounded", func(w http.ResponseWriter, _ *http.Request) {
			for range maxAnswer>>20 + 1 {
				_, _ = w.Write(make([]byte, 1<<20))
			}
		}, nil, errInvalid, "larger than"},
		"Broken": {"it stopped", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"routes":`)
		}, nil, errUnreachable, "reading the receiver's answer"},
		"Down":         {"it is not there", nil, func(_ *testing.T, r *Receiver) { r.URL = "https://127.0.0.1:1" }, errUnreachable, "connection refused"},
		"OtherCA":      {"its certificate was replaced", answer(200, "{}"), func(_ *testing.T, r *Receiver) { r.CAFile = "" }, errUnreachable, "certificate"},
		"NoTokenFile":  {"the Secret is not mounted", nil, func(_ *testing.T, r *Receiver) { r.TokenFile += "x" }, errFiles, "no such file"},
		"EmptyToken":   {"it would be refused, and nobody would know why", nil, func(t *testing.T, r *Receiver) { write(t, r.TokenFile, "\n") }, errFiles, "holds no token"},
		"SpacedToken":  {"it is no token", nil, func(t *testing.T, r *Receiver) { write(t, r.TokenFile, "a b") }, errFiles, "something else than tokens"},
		"NoCAFile":     {"the Secret is not mounted", nil, func(_ *testing.T, r *Receiver) { r.CAFile += "x" }, errFiles, "no such file"},
		"CAFileNoPEM":  {"the wrong key of the Secret", nil, func(t *testing.T, r *Receiver) { write(t, r.CAFile, "none") }, errFiles, "no PEM certificate"},
		"TokenFileDir": {"a directory was mounted", nil, func(t *testing.T, r *Receiver) { r.TokenFile = t.TempDir() }, errFiles, "is a directory"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.handler == nil {
				tt.handler = answer(200, `{"routes":[]}`)
			}
			r := admin(t, tt.handler)
			if tt.spoil != nil {
				tt.spoil(t, &r)
			}
			_, err := r.ask(t.Context())
			if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("got %v; want %q and %q: %s", err, tt.kind, tt.says, tt.reason)
			}
			if strings.Contains(err.Error(), token) || result(err) != tt.kind.Error() {
				t.Errorf("the error holds the token, or the metric says %q: %v", result(err), err)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"routes":[]}`))
	f.Add([]byte(`{"routes":[{"route":{"kind":"subscription","namespace":"a","name":"b"},"received":1,"lastEventTime":"2026-11-22T11:00:00Z","refusals":{"since":"2026-11-20T00:00:00Z"}}]}`))
	f.Add([]byte(`{"routes":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		routes, err := decode(body)
		if (err == nil) == (routes == nil) {
			t.Errorf("%v, %v", routes, err)
		}
		for _, r := range routes { // whatever it is, status can hold it
			if report := reportOf(r, noon); len(report.Delivery.LastError) > maxText || report.Delivery.Received < 0 {
				t.Errorf("%+v", report)
			}
		}
	})
}
