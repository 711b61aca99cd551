package essemulator_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

func TestRefusalsOfTheFailedNotificationsAPI(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason, method, path string
		change               func(*essemulator.Assumptions)
		want                 int
	}{
		"any case":     {"FAILED and failed are both printed", "GET", "?status=Failed", nil, 200},
		"no status":    {"it is required", "GET", "", nil, 400},
		"other status": {"only failed is supported", "GET", "?status=SENT", nil, 400},
		"other status by assumption": {
			"assumed", "GET", "?status=SENT", func(a *essemulator.Assumptions) { a.Statuses.FailedQuery = 501 }, 501,
		},
		"malformed id":    {"Delete Notification: 400", "DELETE", "/a%20b", nil, 400},
		"no id":           {"malformed, too", "DELETE", "/", nil, 400},
		"id with slash":   {"malformed, too", "DELETE", "/a/b", nil, 400},
		"very long id":    {"malformed, too", "DELETE", "/" + strings.Repeat("a", 65), nil, 400},
		"unknown id":      {"assumed", "DELETE", "/nOB1KNTDSV0UqiYeTsy6su$praZSogRJB6", nil, 404},
		"unknown is fine": {"assumed", "DELETE", "/abc", func(a *essemulator.Assumptions) { a.Statuses.UnknownNotification = 200 }, 200},
		"POST":            {"no such method", "POST", "", nil, 405},
		"GET of one":      {"no such method", "GET", "/abc", nil, 405},
		"other path":      {"no such resource", "GET", "s", nil, 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := withFailure(t, tc.change)
			if a := b.mustSend(tc.method, failedPath+tc.path, "", "Authorization", "OAuth admin-token"); a.Status != tc.want {
				t.Errorf("%d %s, want %d: %s", a.Status, a.Body, tc.want, tc.reason)
			}
		})
	}
}

func TestCompaniesDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	b := withFailure(t, nil)
	b.userToken("b-token", essemulator.UserToken{
		User: "b", CompanyID: companyB, Roles: []string{essemulator.RoleCompanyAdministrator},
	})
	a := b.mustSend("GET", failedPath+"?status=FAILED", "", "Authorization", "OAuth b-token", "Accept", "application/json")
	if a.Body != "[]" {
		t.Errorf("another company sees %s", a.Body)
	}
	id := b.emu.Callouts().Ledger()[0].NotificationID
	if a := b.mustSend("DELETE", failedPath+"/"+id, "", "Authorization", "OAuth b-token"); a.Status != 404 {
		t.Errorf("another company's DELETE: %d", a.Status)
	}
}

func TestFormOfTheFailedListFollowsAccept(t *testing.T) {
	t.Parallel()
	const xmlType, jsonType = "application/xml", "application/json"
	for accept, want := range map[string]string{
		"": xmlType, "*/*": xmlType, "text/html": xmlType, xmlType: xmlType, "text/xml": xmlType, jsonType: jsonType,
		"application/json, application/xml;q=0.9": jsonType, "application/json;q=0.1,application/xml": xmlType,
		"APPLICATION/JSON": jsonType, "application/json;q=x": xmlType, "application/json, application/xml": xmlType,
	} {
		t.Run(accept, func(t *testing.T) {
			t.Parallel()
			b := withFailure(t, nil)
			a := b.mustSend("GET", failedPath+"?status=FAILED", "", "Authorization", "OAuth admin-token", "Accept", accept)
			if got := a.Header.Get("Content-Type"); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	b := withFailure(t, func(a *essemulator.Assumptions) { a.FailedForm = essemulator.FailedJSON })
	a := b.mustSend("GET", failedPath+"?status=FAILED", "", "Authorization", "OAuth admin-token")
	if got := a.Header.Get("Content-Type"); got != jsonType {
		t.Errorf("with the other assumption: %s", got)
	}
}

func TestFaultsOfTheFailedNotificationsAPI(t *testing.T) {
	t.Parallel()
	b := withFailure(t, nil)
	list := func(accept string) answer {
		return b.mustSend("GET", failedPath+"?status=FAILED", "", "Authorization", "OAuth admin-token", "Accept", accept)
	}
	b.emu.InjectFault(essemulator.Fault{Operation: essemulator.OpFailedList, Times: 1, Status: 429, RetryAfter: "7"})
	if a := list("application/xml"); a.Status != 429 || a.Header.Get("Retry-After") != "7" {
		t.Errorf("status: %d, Retry-After %q", a.Status, a.Header.Get("Retry-After"))
	}
	b.emu.InjectFault(essemulator.Fault{Operation: essemulator.OpFailedList, Times: 2, BodySize: 50})
	if a := list("application/xml"); len(a.Body) != 50 || !strings.HasSuffix(a.Body, "  </NotificationList>") {
		t.Errorf("big XML: %q", a.Body)
	}
	if a := list("application/json"); len(a.Body) != 50 || !strings.HasSuffix(a.Body, "  ]") {
		t.Errorf("big JSON: %q", a.Body)
	}
	id := b.emu.Callouts().Ledger()[0].NotificationID
	b.emu.InjectFault(essemulator.Fault{Operation: essemulator.OpFailedDelete, Times: 1, Reset: true, After: true})
	if _, err := b.send("DELETE", failedPath+"/"+id, "", "Authorization", "OAuth admin-token"); err == nil {
		t.Error("a reset connection gave an answer")
	}
	if got := b.failures("application/json"); len(got) != 0 {
		t.Errorf("the deletion was done before the connection was cut, but it lists %v", got)
	}
}

func TestChunkedDeleteIsRefused(t *testing.T) {
	t.Parallel()
	b := withFailure(t, nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, b.srv.URL+failedPath+"/abc",
		struct{ *strings.Reader }{strings.NewReader("x")}) // a reader of unknown length
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "OAuth admin-token")
	resp, err := b.srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("got %d, want 400", resp.StatusCode)
	}
}

func TestUserTokensThatCannotBePut(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	for _, tc := range []struct{ token, user string }{{"t", ""}, {"two words", "u"}} {
		if _, err := b.emu.PutUserToken(tc.token, essemulator.UserToken{User: tc.user}); !errors.Is(err, essemulator.ErrInvalid) {
			t.Errorf("%+v: %v, want ErrInvalid", tc, err)
		}
	}
	one, err := b.emu.PutUserToken("", essemulator.UserToken{User: "u"})
	if err != nil {
		t.Fatal(err)
	}
	if two, err := b.emu.PutUserToken("", essemulator.UserToken{User: "u"}); err != nil || one == two || len(two) < 20 {
		t.Errorf("tokens made up: %q and %q, %v", one, two, err)
	}
}
