package essemulator_test

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// admin makes one call of the admin API and decodes the answer.
func (b *bench) admin(method, path, body string) (status int, got any) {
	b.t.Helper()
	w := httptest.NewRecorder()
	b.emu.AdminHandler().ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		b.t.Fatalf("%s %s answered %d %q, which is no JSON: %v", method, path, w.Code, w.Body, err)
	}
	return w.Code, got
}

func (b *bench) mustAdmin(method, path, body string) any {
	b.t.Helper()
	status, got := b.admin(method, path, body)
	if status != http.StatusOK {
		b.t.Fatalf("%s %s answered %d %v", method, path, status, got)
	}
	return got
}

func TestAdminTellsTheWholeStory(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	ep := newEndpoint(t, b.emu, nil)
	b.run()
	b.mustAdmin("PUT", "/v1/applications/app", `{"secrets":["s"],"scopes":["events.topic.read"]}`)
	b.mustAdmin("PUT", "/v1/subscriptions/s1",
		`{"applicationId":"app","topic":"`+reports+`","filter":".*","endpoint":"`+ep.URL+`"}`)
	b.mustAdmin("PUT", "/v1/applications/app/companies/acme", `{"groups":[]}`)
	got := b.mustAdmin("POST", "/v1/samples/expense-report-updated-1?company=acme", "")
	if diff := cmp.Diff(any(map[string]any{"deliveries": 1.0}), got); diff != "" {
		t.Errorf("publishing a sample (-want +got):\n%s", diff)
	}
	b.mustAdmin("POST", "/v1/events?topic="+reports+"&company=acme&type=statusChanged", "no JSON at all\n")
	b.mustAdmin("POST", "/v1/settle", "")
	bodies := map[string]bool{}
	for _, r := range ep.got() {
		bodies[r.Body] = true
	}
	if len(bodies) != 2 || !bodies["no JSON at all\n"] {
		t.Errorf("the endpoint got %d different bodies, want the sample and the raw text", len(bodies))
	}
	ledger := b.mustAdmin("GET", "/v1/deliveries", "").([]any)
	if len(ledger) != 2 || ledger[0].(map[string]any)["outcome"] != "delivered" {
		t.Errorf("ledger: %v", ledger)
	}
	b.mustAdmin("DELETE", "/v1/applications/app/companies/acme", "")
	subs := b.mustAdmin("GET", "/v1/subscriptions?application=app", "").([]any)
	if got := subs[0].(map[string]any)["withoutCompanySince"]; got != "2026-06-01T12:00:00Z" {
		t.Errorf("without company since %v", got)
	}
	b.mustAdmin("DELETE", "/v1/subscriptions/s1", "")
	if left := b.ids(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestAdminControlsTheCallsOfClients(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.call("GET", apiPath, "")
	b.mustAdmin("POST", "/v1/faults", `{"operation":"list","status":503,"times":1,"delay":"0s"}`)
	b.mustAdmin("POST", "/v1/faults", `{"operation":"topics","status":500}`)
	b.call("GET", apiPath, "")
	b.mustAdmin("DELETE", "/v1/faults/2", "")
	b.call("GET", "/v4/topics", "")
	if got := b.mustAdmin("GET", "/v1/faults", ""); len(got.(map[string]any)) != 0 {
		t.Errorf("faults left: %v", got)
	}
	b.mustAdmin("POST", "/v1/applications/"+appA+"/revoke-tokens", "")
	b.call("GET", apiPath, "")
	requests := b.mustAdmin("GET", "/v1/requests", "").([]any)
	if got := requests[0].(map[string]any)["summary"]; len(requests) != 5 || got != "POST token 200" {
		t.Errorf("request log has %d calls and begins with %v", len(requests), got)
	}
	want := []string{"POST token 200", "GET list 200", "GET list 503", "GET topics 200", "GET list 403"}
	if diff := cmp.Diff(want, b.golden()); diff != "" {
		t.Errorf("request log (-want +got):\n%s", diff)
	}
	b.mustAdmin("DELETE", "/v1/requests", "")
	if got := b.golden(); len(got) != 0 {
		t.Errorf("after forgetting: %v", got)
	}
}

func TestAdminChangesAssumptionsAndTime(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.mustAdmin("PATCH", "/v1/assumptions", `{"padding":"pss","delete-delay":"1h","status-id-taken":"400"}`)
	got := b.emu.Assumptions()
	want := essemulator.DefaultAssumptions()
	want.Padding, want.DeleteDelay, want.Statuses.IDTaken = essemulator.PSS, time.Hour, 400
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("assumptions (-want +got):\n%s", diff)
	}
	settings := b.mustAdmin("GET", "/v1/assumptions", "").(map[string]any)
	if settings["padding"] != "pss" || settings["delete-delay"] != "1h0m0s" {
		t.Errorf("settings: %v", settings)
	}
	now := b.mustAdmin("POST", "/v1/clock", `{"by":"720h"}`)
	if diff := cmp.Diff(any(map[string]any{"now": "2026-07-01T12:00:00Z"}), now); diff != "" {
		t.Errorf("clock (-want +got):\n%s", diff)
	}
}

func TestAdminAnnouncesTheNextKey(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	before := b.mustAdmin("GET", "/v1/keys", "")
	announced := b.mustAdmin("POST", "/v1/announce-key", "")
	if diff := cmp.Diff(before, b.mustAdmin("GET", "/v1/keys", "")); diff != "" {
		t.Errorf("an announcement changes nothing yet (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(announced, b.mustAdmin("POST", "/v1/announce-key", "")); diff != "" {
		t.Errorf("what is announced twice is the same (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(announced, b.mustAdmin("POST", "/v1/rotate-key", "")); diff != "" {
		t.Errorf("what comes is what was announced (-want +got):\n%s", diff)
	}
	if cmp.Equal(announced, b.mustAdmin("POST", "/v1/announce-key", "")) {
		t.Error("the next announcement is of the key that is in use already")
	}
}

func TestAdminShowsAndChangesKeys(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	before := b.mustAdmin("GET", "/v1/keys", "").(map[string]any)
	if before["ca"] != string(b.emu.Keys().CAPEM()) || before["signingKey"] != string(b.emu.Keys().SigningKeyPEM()) {
		t.Errorf("keys: %v", before)
	}
	after := b.mustAdmin("POST", "/v1/rotate-key", "").(map[string]any)
	if after["ca"] != before["ca"] || after["signingKey"] == before["signingKey"] {
		t.Error("rotation changes the signing key and keeps the CA")
	}
	cert := b.mustAdmin("POST", "/v1/certificates", `{"hosts":["hooks.example","10.0.0.7"]}`).(map[string]any)
	pair, err := tls.X509KeyPair([]byte(cert["certificate"].(string)), []byte(cert["key"].(string)))
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"hooks.example", "10.0.0.7"} {
		if err := pair.Leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	b.mustAdmin("PUT", "/v1/disguise", `{"certificate":"expired"}`)
	want := any(map[string]any{"certificate": "expired", "signature": ""})
	if diff := cmp.Diff(want, b.mustAdmin("GET", "/v1/disguise", "")); diff != "" {
		t.Errorf("disguise (-want +got):\n%s", diff)
	}
}

func TestAdminLists(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	apps := b.mustAdmin("GET", "/v1/applications", "").([]any)
	if app := apps[0].(map[string]any); len(apps) != 2 || app["id"] != appA || app["secrets"] != nil {
		t.Errorf("applications: %v", apps)
	}
	if samples := b.mustAdmin("GET", "/v1/samples", "").([]any); len(samples) != len(essemulator.Samples()) {
		t.Errorf("samples: %v", samples)
	}
	b.mustAdmin("POST", "/v1/faults", `{"delay":"2s","hang":true}`)
	want := any(map[string]any{"1": map[string]any{"delay": "2s", "hang": true}})
	if diff := cmp.Diff(want, b.mustAdmin("GET", "/v1/faults", "")); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	b.mustAdmin("DELETE", "/v1/faults", "")
	if got := b.emu.Faults(); len(got) != 0 {
		t.Errorf("faults left: %v", got)
	}
}

func TestAdminRefusals(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	for _, tc := range []struct {
		method, path, body string
		want               int
	}{
		{"PUT", "/v1/applications/a", `{"id":"b"}`, 400},
		{"PUT", "/v1/applications/a", `{"secret":"s"}`, 400},
		{"PUT", "/v1/applications/a", `{}{}`, 400},
		{"PUT", "/v1/applications/nobody/companies/c", ``, 404},
		{"PUT", "/v1/subscriptions/s", `{}`, 400},
		{"DELETE", "/v1/subscriptions/nothing", ``, 404},
		{"POST", "/v1/samples/nothing", ``, 404},
		{"POST", "/v1/samples/..%2fdoc", ``, 404},
		{"POST", "/v1/events", `{}`, 400},
		{"POST", "/v1/faults", `{"status":99}`, 400},
		{"POST", "/v1/faults", `{"delay":5}`, 400},
		{"DELETE", "/v1/faults/x", ``, 400},
		{"PATCH", "/v1/assumptions", `{"nothing":"1"}`, 400},
		{"PATCH", "/v1/assumptions", `{"workers":"0"}`, 400},
		{"PATCH", "/v1/assumptions", `{"status-invalid":"99"}`, 400},
		{"PATCH", "/v1/assumptions", `{"padding":"none"}`, 400},
		{"PUT", "/v1/disguise", `{"certificate":"stolen"}`, 400},
		{"POST", "/v1/certificates", `{}`, 400},
		{"POST", "/v1/clock", `{"by":"-1h"}`, 400},
	} {
		if status, got := b.admin(tc.method, tc.path, tc.body); status != tc.want {
			t.Errorf("%s %s %s answered %d %v, want %d", tc.method, tc.path, tc.body, status, got, tc.want)
		}
	}
}

func TestAdminRefusesOtherSites(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	r := httptest.NewRequest(http.MethodPost, "/v1/settle", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	b.emu.AdminHandler().ServeHTTP(w, r)
	if w.Code != http.StatusForbidden {
		t.Errorf("a call that a browser makes for another site got %d, want 403", w.Code)
	}
}

func TestManualHasTheAdminAPI(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	w := httptest.NewRecorder()
	b.emu.AdminHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	manual, err := os.ReadFile("../../docs/emulator.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(w.Body.String()) {
		fields := strings.Fields(line)
		if len(fields) < 3 || !strings.HasPrefix(fields[1], "/v1/") {
			continue
		}
		row := "| `" + fields[0] + " " + fields[1] + "` | " + strings.Join(fields[2:], " ") + " |\n"
		if !strings.Contains(string(manual), row) {
			t.Errorf("docs/emulator.md lacks the row\n%s", row)
		}
	}
}
