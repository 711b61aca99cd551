package intake

import (
	"bytes"
	"cmp"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

func TestTestConnection(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason        string
		method, login string
		path          string // empty: TestConnectionPath
		routes        func() *route.Table
		status        int
		result        string // empty: not counted
		tested        string // the connector
	}{
		"GET":           {"the button", http.MethodGet, "", "", connectors, 200, "verified", "reports"},
		"HEAD":          {"the same without a body", http.MethodHead, "trips-user:trips", "", connectors, 200, "verified", "trips"},
		"POST":          {"a public receiver takes it", http.MethodPost, "", "", connectors, 200, "verified", "reports"},
		"OldPair":       {"both hold while they are rotated", http.MethodGet, "reports-user:old", "", connectors, 200, "verified", "reports"},
		"OtherPath":     {"the test is of the host", http.MethodGet, "other-user:other", "", connectors, 200, "verified", "other"},
		"WrongPassword": {"it was mistyped", http.MethodGet, "reports-user:older", "", connectors, 401, "wrong_credentials", ""},
		"Stranger":      {"a user whom nobody knows", http.MethodGet, "stranger:old", "", connectors, 401, "wrong_credentials", ""},
		"NoLogin":       {"a browser asks then", http.MethodGet, "none", "", connectors, 401, "wrong_credentials", ""},
		"NoRoutes":      {"nobody knows yet whose they are", http.MethodGet, "", "", noTable, 503, "no_routes", ""},
		"NoConnectors":  {"now it is known", http.MethodGet, "", "", func() *route.Table { return route.NewTable(nil, nil) }, 401, "wrong_credentials", ""},
		"Endpoint":      {"another page has the test come to the endpoint itself", http.MethodGet, "", route.DefaultNotifyPath, connectors, 200, "verified", "reports"},
		"EndpointHEAD":  {"the same without a body", http.MethodHead, "other-user:other", "/in", connectors, 200, "verified", "other"},
		"EndpointLogin": {"as at the other path", http.MethodGet, "none", "/in", connectors, 401, "wrong_credentials", ""},
		"DELETE":        {"no test", http.MethodDelete, "", "", connectors, 405, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, registry := newHandler(t, Config{Routes: tc.routes})
			w := httptest.NewRecorder()
			h.ServeHTTP(w, call{method: tc.method, login: tc.login, path: cmp.Or(tc.path, TestConnectionPath), body: http.NoBody}.request())
			if challenged := w.Header().Get("WWW-Authenticate") == basic; w.Code != tc.status || challenged != (tc.status == http.StatusUnauthorized) {
				t.Errorf("%s: status %d, want %d; challenged: %t", tc.reason, w.Code, tc.status, challenged)
			}
			counted := map[string]float64{}
			if tc.result != "" {
				counted["ess_receiver_test_connections_total result="+tc.result] = 1
			}
			if diff := gocmp.Diff(counted, counts(t, registry)); diff != "" {
				t.Errorf("metrics (-want +got):\n%s", diff)
			}
			want := map[event.RouteID]time.Time{}
			if tc.tested != "" {
				want[event.RouteID{Kind: event.Connector, Namespace: "finance", Name: tc.tested}] = arrival
			}
			if diff := gocmp.Diff(want, h.LastTests()); diff != "" {
				t.Errorf("last tests (-want +got):\n%s", diff)
			}
		})
	}
}

// A connector that goes is forgotten, and what strangers send is in no line of the log.
func TestTestsAreForgottenAndLogged(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	table := connectors()
	h, _ := newHandler(t, Config{Routes: func() *route.Table { return table }, Logger: slog.New(slog.NewJSONHandler(&lines, nil))})
	test := call{method: http.MethodGet, path: TestConnectionPath, body: http.NoBody}
	h.ServeHTTP(httptest.NewRecorder(), test.request())
	if n := len(h.LastTests()); n != 1 {
		t.Errorf("%d connectors have been tested, want 1", n)
	}
	table = route.NewTable(nil, nil)
	if n := len(h.LastTests()); n != 0 {
		t.Errorf("%d connectors have been tested of none", n)
	}
	for _, test.login = range []string{"s3cr3t:old", "reports-user:s3cr3t"} {
		h.ServeHTTP(httptest.NewRecorder(), test.request())
		h.ServeHTTP(httptest.NewRecorder(), call{login: test.login}.request())
	}
	if text := lines.String(); !strings.Contains(text, "refusing a test of the connection") || strings.Contains(text, "s3cr3t") {
		t.Errorf("the log is:\n%s", text)
	}
}
