package essemulator_test

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/essemulator"
	"github.com/ess-operator/ess-operator/internal/essemulator/callout"
)

const failedPath = "/api/platform/notifications/v1.0/notification"

// listed is a failed notification as a client reads it, from XML or JSON.
type listed struct {
	Context, EventDateTime, EventType, NotificationURI, ObjectType, ObjectURI string
}

// withFailure is a bench with one failed notification of companyA and the token "admin-token" to see it.
func withFailure(t *testing.T, change func(*essemulator.Assumptions)) *bench {
	t.Helper()
	b := newBench(t, func(a *essemulator.Assumptions) {
		a.Callout.Attempts = 1
		if change != nil {
			change(a)
		}
	})
	b.register(newEndpoint(t, b.emu, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	b.userToken("admin-token", essemulator.UserToken{
		User: "admin", CompanyID: companyA, Roles: []string{"Employee", essemulator.RoleCompanyAdministrator},
	})
	b.notify("expense-report-1")
	return b
}

// register makes a tested connector of companyA and starts the engine.
func (b *bench) register(ep *endpoint) {
	b.t.Helper()
	err := b.emu.Callouts().PutConnector(callout.Connector{
		Name: "reports", CompanyID: companyA, Host: ep.URL, UserName: "concur-callouts", Password: "a long password",
		Enabled: true,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	if try, err := b.emu.Callouts().TestConnection(b.t.Context(), "reports"); err != nil || try.Status != 200 {
		b.t.Fatalf("Test Connection: %+v, %v", try, err)
	}
	b.run()
}

func (b *bench) userToken(token string, t essemulator.UserToken) {
	b.t.Helper()
	if got, err := b.emu.PutUserToken(token, t); err != nil || got != token {
		b.t.Fatalf("PutUserToken = %q, %v", got, err)
	}
}

// notify publishes a sample to companyA and waits for what comes of it.
func (b *bench) notify(sample string) {
	b.t.Helper()
	body, err := callout.Sample(sample)
	if err != nil {
		b.t.Fatal(err)
	}
	if n, err := b.emu.Callouts().PublishRaw(callout.Target{CompanyID: companyA}, body); n != 1 || err != nil {
		b.t.Fatalf("PublishRaw = %d, %v; want 1 callout", n, err)
	}
	b.settle()
}

// failures reads the list in one form.
func (b *bench) failures(accept string) (list []listed) {
	b.t.Helper()
	a := b.mustSend("GET", failedPath+"?status=FAILED", "", "Authorization", "OAuth admin-token", "Accept", accept)
	if a.Status != http.StatusOK || a.Header.Get("Content-Type") != accept {
		b.t.Fatalf("list: %d %s %s", a.Status, a.Header.Get("Content-Type"), a.Body)
	}
	if accept == "application/json" {
		if err := json.Unmarshal([]byte(a.Body), &list); err != nil {
			b.t.Fatal(err)
		}
		return list
	}
	var root struct {
		XMLName      xml.Name `xml:"http://www.concursolutions.com/api/notification/2012/06 NotificationList"`
		Notification []listed
	}
	if err := xml.Unmarshal([]byte(a.Body), &root); err != nil {
		b.t.Fatal(err)
	}
	return root.Notification
}

func TestFailedNotificationIsListedInBothForms(t *testing.T) {
	t.Parallel()
	b := withFailure(t, nil)
	id := b.emu.Callouts().Ledger()[0].NotificationID
	want := []listed{{
		EventDateTime: "2012-05-01T00:00:00", EventType: "Report Entered Expense Report Workflow Step - SUBMIT",
		NotificationURI: b.srv.URL + failedPath + "/" + id, ObjectType: "EXPRPT",
		ObjectURI: "https://www.concursolutions.com/api/expense/expensereport/v1.1/reportfulldetails/" +
			"3%Rek29$wsIY12Di3LS9$gjei%KL23",
	}}
	for _, accept := range []string{"application/xml", "application/json"} {
		if diff := cmp.Diff(want, b.failures(accept)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", accept, diff)
		}
	}
}

func TestFailedNotificationIsDeletedByItsURI(t *testing.T) {
	t.Parallel()
	b := withFailure(t, nil)
	path := strings.TrimPrefix(b.failures("application/xml")[0].NotificationURI, b.srv.URL)
	if !strings.Contains(path, "$") {
		t.Errorf("the first URI, %s, holds no $", path)
	}
	b.emu.ResetRequests()
	for _, want := range []int{200, 404} {
		if a := b.mustSend("DELETE", path, "", "Authorization", "OAuth admin-token"); a.Status != want {
			t.Errorf("DELETE: %d %q, want %d", a.Status, a.Body, want)
		}
	}
	for _, accept := range []string{"application/xml", "application/json"} {
		if got := b.failures(accept); len(got) != 0 {
			t.Errorf("afterwards %s lists %v", accept, got)
		}
	}
	want := []string{"DELETE failed-delete 200", "DELETE failed-delete 404", "GET failed-list 200", "GET failed-list 200"}
	if diff := cmp.Diff(want, b.golden()); diff != "" {
		t.Errorf("request log (-want +got):\n%s", diff)
	}
}

func TestFailedNotificationsAPIIsLogged(t *testing.T) {
	t.Parallel()
	b := withFailure(t, nil)
	b.mustSend("DELETE", failedPath+"/a$b", "", "Authorization", "OAuth admin-token")
	got := b.emu.Requests()[0]
	if got.Operation != essemulator.OpFailedDelete || got.User != "admin" || got.NotificationID != "a$b" {
		t.Errorf("logged as %+v", got)
	}
	if auth := got.Header.Get("Authorization"); auth != "OAuth REDACTED" {
		t.Errorf("logged with Authorization %q", auth)
	}
}

func TestWhoMaySeeFailedNotifications(t *testing.T) {
	t.Parallel()
	bearer := func(a *essemulator.Assumptions) { a.FailedAuth = essemulator.FailedBearer }
	oauth := func(a *essemulator.Assumptions) { a.FailedAuth = essemulator.FailedOAuth }
	for name, tc := range map[string]struct {
		reason string
		header string
		change func(*essemulator.Assumptions)
		want   int
	}{
		"OAuth":          {"the scheme of Concur's samples", "OAuth admin-token", nil, 200},
		"oauth":          {"schemes have no case", "oauth admin-token", nil, 200},
		"Bearer":         {"the scheme of Concur's tokens", "Bearer admin-token", nil, 200},
		"only Bearer":    {"switched", "Bearer admin-token", bearer, 200},
		"OAuth is off":   {"switched", "OAuth admin-token", bearer, 403},
		"only OAuth":     {"switched", "OAuth admin-token", oauth, 200},
		"Bearer is off":  {"switched", "Bearer admin-token", oauth, 403},
		"Basic":          {"no such scheme here", "Basic admin-token", nil, 403},
		"nobody":         {"HTTP Status Codes: 401", "", nil, 401},
		"unknown token":  {"HTTP Status Codes: 403", "OAuth nothing", nil, 403},
		"no role":        {"Delete Notification: 403", "OAuth employee-token", nil, 403},
		"expired":        {"HTTP Status Codes: 403", "OAuth expired-token", nil, 403},
		"other statuses": {"assumed", "OAuth nothing", func(a *essemulator.Assumptions) { a.Statuses.BadUserToken = 401 }, 401},
		"no role is 401": {"assumed", "OAuth employee-token", func(a *essemulator.Assumptions) { a.Statuses.MissingRole = 401 }, 401},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := withFailure(t, tc.change)
			b.userToken("employee-token", essemulator.UserToken{User: "e", CompanyID: companyA, Roles: []string{"Employee"}})
			b.userToken("expired-token", essemulator.UserToken{
				User: "x", CompanyID: companyA, Roles: []string{essemulator.RoleCanAdminister}, ExpiresAt: b.clock.Now(),
			})
			id := b.emu.Callouts().Ledger()[0].NotificationID
			var header []string
			if tc.header != "" {
				header = []string{"Authorization", tc.header}
			}
			if a := b.mustSend("GET", failedPath+"?status=failed", "", header...); a.Status != tc.want {
				t.Errorf("GET: %d %s, want %d: %s", a.Status, a.Body, tc.want, tc.reason)
			}
			if a := b.mustSend("DELETE", failedPath+"/"+id, "", header...); a.Status != tc.want {
				t.Errorf("DELETE: %d %s, want %d: %s", a.Status, a.Body, tc.want, tc.reason)
			}
		})
	}
}

func TestApplicationsHaveNoRole(t *testing.T) {
	t.Parallel()
	b := withFailure(t, func(a *essemulator.Assumptions) { a.Statuses.MissingRole = 418 })
	if a := b.call("GET", failedPath+"?status=FAILED", ""); a.Status != 418 {
		t.Errorf("an application's token: %d %s, want what a missing role answers", a.Status, a.Body)
	}
	if a := b.mustSend("GET", apiPath, "", "Authorization", "Bearer admin-token"); a.Status != 403 {
		t.Errorf("a user's token at ESS: %d %s, want 403", a.Status, a.Body)
	}
}

func TestUserTokensEndAndAreRevoked(t *testing.T) {
	t.Parallel()
	b := withFailure(t, func(a *essemulator.Assumptions) { a.UserTokenLifetime = time.Hour })
	status := func() int {
		return b.mustSend("GET", failedPath+"?status=FAILED", "", "Authorization", "OAuth admin-token").Status
	}
	b.clock.Step(time.Hour - 1)
	if got := status(); got != 200 {
		t.Errorf("just before the end: %d", got)
	}
	b.clock.Step(1)
	if got := status(); got != 403 {
		t.Errorf("at the end: %d", got)
	}
	b.userToken("admin-token", essemulator.UserToken{
		User: "admin", CompanyID: companyA, Roles: []string{essemulator.RoleWebServicesAdministrator},
	})
	if got := status(); got != 200 {
		t.Errorf("put again: %d", got)
	}
	b.emu.RevokeUserTokens("admin")
	if got := status(); got != 403 || len(b.emu.UserTokens()) != 0 {
		t.Errorf("revoked: %d, left %v", got, b.emu.UserTokens())
	}
}
