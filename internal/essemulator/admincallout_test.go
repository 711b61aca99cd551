package essemulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/essemulator/callout"
)

func TestAdminTellsTheStoryOfACallout(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	ep := newEndpoint(t, b.emu, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refused" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	b.run()
	b.mustAdmin("PATCH", "/v1/assumptions", `{"callout-attempts":"1","test-connection":"system"}`)
	put := `{"host":"` + ep.URL + `","userName":"concur-callouts","password":"a long password","enabled":true,"companyId":"acme"`
	b.mustAdmin("PUT", "/v1/connectors/reports", put+`}`)
	test := b.mustAdmin("POST", "/v1/connectors/reports/test", "")
	want := any(map[string]any{
		"verified": true, "url": ep.URL + "/system/v1.0/testconnection", "status": 200.0, "time": "2026-06-01T12:00:00Z",
	})
	if diff := cmp.Diff(want, test); diff != "" {
		t.Errorf("Test Connection (-want +got):\n%s", diff)
	}
	want = any(map[string]any{"callouts": 1.0})
	for path, body := range map[string]string{
		"/v1/notification-samples/expense-report-1?company=acme": "",
		"/v1/raw-notifications?connector=reports":                "no XML at all\n",
		"/v1/notifications?company=acme": `{"eventType":"e","objectType":"EXPRPT","objectURI":"u&v",` +
			`"eventTime":"2026-06-01T12:00:00Z","context":"c"}`,
	} {
		if diff := cmp.Diff(want, b.mustAdmin("POST", path, body)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	b.mustAdmin("POST", "/v1/settle", "")
	sample, err := callout.Sample("expense-report-1")
	if err != nil {
		t.Fatal(err)
	}
	bodies := b.deliveredBodies()
	if len(bodies) != 3 || !bodies[string(sample)] || !bodies["no XML at all\n"] {
		t.Errorf("bodies in the ledger: %v", bodies)
	}
}

// deliveredBodies are the bodies that the admin API's ledger of callouts shows as delivered.
func (b *bench) deliveredBodies() map[string]bool {
	b.t.Helper()
	bodies := map[string]bool{}
	for _, line := range b.mustAdmin("GET", "/v1/callouts", "").([]any) {
		line := line.(map[string]any)
		if line["outcome"] == "delivered" && line["connector"] == "reports" {
			bodies[line["body"].(string)] = true
		}
	}
	return bodies
}

func TestAdminControlsWhoSeesFailedNotifications(t *testing.T) {
	t.Parallel()
	b := withFailure(t, nil)
	made := b.mustAdmin("POST", "/v1/user-tokens", `{"user":"ws","companyId":"`+companyA+
		`","roles":["Web Services Administrator"],"expiresAt":"2026-07-01T00:00:00Z"}`).(map[string]any)
	get := func() int {
		return b.mustSend("GET", failedPath+"?status=FAILED", "", "Authorization", "Bearer "+made["token"].(string)).Status
	}
	if got := get(); got != 200 {
		t.Errorf("with the token: %d", got)
	}
	tokens := b.mustAdmin("GET", "/v1/user-tokens", "").([]any)
	want := any(map[string]any{
		"user": "ws", "companyId": companyA, "roles": []any{"Web Services Administrator"}, "expiresAt": "2026-07-01T00:00:00Z",
	})
	if diff := cmp.Diff(want, tokens[1]); len(tokens) != 2 || diff != "" {
		t.Errorf("%d tokens (-want +got):\n%s", len(tokens), diff)
	}
	b.mustAdmin("POST", "/v1/users/ws/revoke-tokens", "")
	if got := get(); got != 403 {
		t.Errorf("after it was revoked: %d", got)
	}
	connectors := b.mustAdmin("GET", "/v1/connectors", "").([]any)
	if c := connectors[0].(map[string]any); c["verified"] != true || c["password"] != nil || c["userName"] == nil {
		t.Errorf("connectors: %v", connectors)
	}
	if got := b.mustAdmin("GET", "/v1/notification-samples", "").([]any); len(got) != len(callout.Samples()) {
		t.Errorf("samples: %v", got)
	}
}

func TestAdminRefusalsAboutCallouts(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	for _, tc := range []struct {
		method, path, body string
		want               int
	}{
		{"PUT", "/v1/connectors/a", `{"name":"b"}`, 400},
		{"PUT", "/v1/connectors/a", `{"host":"ftp://a","userName":"1234567890","password":"1234567890"}`, 400},
		{"PUT", "/v1/connectors/a", `{"user":"a"}`, 400},
		{"POST", "/v1/connectors/nobody/test", ``, 404},
		{"POST", "/v1/notifications", `{}`, 400},
		{"POST", "/v1/notifications", `[]`, 400},
		{"POST", "/v1/raw-notifications?connector=nobody", ``, 404},
		{"POST", "/v1/raw-notifications", strings.Repeat(" ", 16<<20+1), 400},
		{"POST", "/v1/notification-samples/nothing", ``, 404},
		{"POST", "/v1/user-tokens", `{"roles":[]}`, 400},
		{"POST", "/v1/user-tokens", `{"user":"a","token":"b c"}`, 400},
		{"PATCH", "/v1/assumptions", `{"callout-attempts":"0"}`, 400},
		{"PATCH", "/v1/assumptions", `{"callout-date":"today"}`, 400},
		{"PATCH", "/v1/assumptions", `{"user-token-lifetime":"0s"}`, 400},
	} {
		if status, got := b.admin(tc.method, tc.path, tc.body); status != tc.want {
			t.Errorf("%s %s answered %d %v, want %d", tc.method, tc.path, status, got, tc.want)
		}
	}
}
