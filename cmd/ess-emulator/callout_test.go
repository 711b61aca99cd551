package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/essemulator"
	"github.com/ess-operator/ess-operator/internal/essemulator/callout"
)

func TestCalloutFlags(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{
		"--connector=name=reports,host=https://c.test,user=concur-callouts,password=a=b c d e f,path=/x,company=acme",
		"--user-token=token=t,user=u", "--user-token=token=t2,user=u2,roles=Employee+Can Administer,company=acme",
	})
	if err != nil {
		t.Fatal(err)
	}
	connectors := []callout.Connector{{
		Name: "reports", Host: "https://c.test", UserName: "concur-callouts", Password: "a=b c d e f", Path: "/x",
		CompanyID: "acme", Enabled: true,
	}}
	if diff := cmp.Diff(connectors, o.connectors); diff != "" {
		t.Errorf("connectors (-want +got):\n%s", diff)
	}
	tokens := []userToken{
		{"t", essemulator.UserToken{User: "u", Roles: []string{"Web Services Administrator"}}},
		{"t2", essemulator.UserToken{User: "u2", CompanyID: "acme", Roles: []string{"Employee", "Can Administer"}}},
	}
	if diff := cmp.Diff(tokens, o.userTokens, cmp.AllowUnexported(userToken{})); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
}

func TestWrongCalloutFlags(t *testing.T) {
	t.Parallel()
	const tooShort = "--connector=name=a,host=https://c.test,user=concur-callouts,password=hush"
	for arg, want := range map[string]int{
		"--connector=name=a": 2, "--connector=name=a,host=h,user=u,password=hush,colour=red": 2,
		"--user-token=token=hush": 2, "--user-token=token=hush,user=": 2, "--user-token=token=hush,user=u,role=r": 2,
		"--callout-order=random": 2, tooShort: 1, "--user-token=token=hush hush,user=u": 1,
	} {
		var logs bytes.Buffer
		if code := run(t.Context(), []string{"--state-dir=" + t.TempDir(), arg}, io.Discard, &logs); code != want {
			t.Errorf("%s ended with %d, want %d: %s", arg, code, want, &logs)
		}
		if strings.Contains(logs.String(), "hush") {
			t.Errorf("%s: the message repeats a secret: %s", arg, &logs)
		}
	}
}

func TestFailedNotificationIsRecoveredFromTheProgram(t *testing.T) {
	t.Parallel()
	connector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(connector.Close)
	dir := t.TempDir()
	out, stop := start(t, dir, "--plain-connectors", "--callout-attempts=1", "--user-token=token=my-token,user=admin",
		"--connector=name=reports,host="+connector.URL+",user=concur-callouts,password=a long password")
	s := newSession(t, out.String(), dir)
	if test := s.do("POST", s.admin+"/v1/connectors/reports/test", "", ""); !strings.Contains(test, `"verified": true`) {
		t.Errorf("Test Connection: %s", test)
	}
	s.do("POST", s.admin+"/v1/notification-samples/expense-report-1", "", "")
	s.do("POST", s.admin+"/v1/settle", "", "")
	s.bearer = "my-token"
	list := s.concur + "/api/platform/notifications/v1.0/notification?status=FAILED"
	var failed []struct{ NotificationURI string }
	s.accept = "application/json"
	if err := json.Unmarshal([]byte(s.do("GET", list, "", "")), &failed); err != nil || len(failed) != 1 {
		t.Fatalf("failed: %v, %v", failed, err)
	}
	s.do("DELETE", failed[0].NotificationURI, "", "")
	if left := s.do("GET", list, "", ""); left != "[]" {
		t.Errorf("left: %s", left)
	}
	stop()
}

func TestBuiltInEndpointIsAConnector(t *testing.T) {
	t.Parallel()
	emu, err := essemulator.New()
	if err != nil {
		t.Fatal(err)
	}
	err = emu.Callouts().PutConnector(callout.Connector{
		Name: "reports", Host: "https://c.test", UserName: "concur-callouts", Password: "a long password",
	})
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]int{"a long password": 200, "another password": 401, "": 401} {
		var out bytes.Buffer
		r := httptest.NewRequest(http.MethodPost, callout.DefaultPath, strings.NewReader("<Notification/>"))
		r.SetBasicAuth("concur-callouts", password)
		w := httptest.NewRecorder()
		(&echo{emu: emu, out: &out}).ServeHTTP(w, r)
		if w.Code != want || strings.Contains(out.String(), "for connector reports") != (want == 200) {
			t.Errorf("with password %q: %d, printed %q", password, w.Code, &out)
		}
	}
}

func FuzzCalloutFlags(f *testing.F) {
	f.Add("name=a,host=b,user=c,password=d,path=e,company=f")
	f.Add("token=a,user=b,roles=c+d,company=e")
	f.Add(",,=")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := readConnector(text); err == nil && (c.Name == "" || c.Host == "" || c.UserName == "" || c.Password == "") {
			t.Fatalf("%q was accepted as %+v", text, c)
		}
		if u, err := readUserToken(text); err == nil && (u.token == "" || u.User == "" || len(u.Roles) == 0) {
			t.Fatalf("%q was accepted as %+v", text, u)
		}
	})
}
