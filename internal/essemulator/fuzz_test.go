package essemulator

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"
)

func FuzzPutBody(f *testing.F) {
	for _, seed := range []string{
		`{"id":"my-unique-subscription-id","filter":".*","topic":"public.test","webHookConfig":{"endpoint":"https://my-valid-endpoint"}}`,
		`{"id":"a.b-1","topic":"t","webHookConfig":{"endpoint":"https://x"},"companyIds":[]}`,
		`{"webHookConfig":null}`, `{"id":null}`, `[]`, `null`, ``, `{"id":"a"}{}`,
	} {
		f.Add([]byte(seed))
	}
	assume := DefaultAssumptions()
	f.Fuzz(func(t *testing.T, body []byte) { checkPut(t, body, &assume) })
}

// checkPut decodes a body and holds the result against the rules of PUT.
func checkPut(t *testing.T, body []byte, assume *Assumptions) {
	s, err := decodePut(body, assume)
	if err != nil {
		var no *apiError
		if !errors.As(err, &no) || no.status != assume.Statuses.Invalid {
			t.Fatalf("%q: %v is no refusal of a body", body, err)
		}
		return
	}
	if s.Topic == "" || !idPattern.MatchString(s.ID) {
		t.Fatalf("%q: accepted with id %q and topic %q", body, s.ID, s.Topic)
	}
	wire := jsonReply(http.StatusOK, wireOf(&s)).body
	if again, err := decodePut(wire, assume); err != nil || !cmp.Equal(again, s) {
		t.Fatalf("%q: reads as %+v, but its wire form as %+v (%v)", body, s, again, err)
	}
}

func FuzzTokenForm(f *testing.F) {
	f.Add("client_id=a&client_secret=b&grant_type=client_credentials", "application/x-www-form-urlencoded")
	f.Add("client_id=a;b", "application/x-www-form-urlencoded; charset=utf-8")
	f.Add("%zz", "text/plain")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, body, contentType string) {
		c := &call{route: route{op: OpToken}, body: []byte(body), header: http.Header{"Content-Type": {contentType}}}
		form, err := tokenForm(c, defaultStatuses())
		if err == nil && (form.Get("client_id") == "" || form.Get("grant_type") != "client_credentials") {
			t.Fatalf("%q was accepted as %v", body, form)
		}
		logged, err := url.ParseQuery(string(loggedBody(c)))
		if err == nil && logged.Has("client_secret") && logged.Get("client_secret") != redacted &&
			len(c.body) < maxLoggedBody {
			t.Fatalf("%q is logged with its secret: %v", body, logged)
		}
	})
}

func FuzzEvent(f *testing.F) {
	for _, name := range Samples() {
		ev, err := Sample(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(ev.Body, ".*")
	}
	f.Add([]byte(`{"id":1,"eventType":null,"facts":[]}`), "a|b")
	f.Add([]byte(`{"facts":{"companyId":{}}}`), "(")
	f.Fuzz(func(t *testing.T, body []byte, filter string) {
		env := envelopeOf(body)
		ev, err := Event{Body: body}.complete(env)
		if (err == nil) != (ev.Topic != "" && ev.Type != "") {
			t.Fatalf("%q: %+v with %v", body, ev, err)
		}
		if matches(filter, ev.Type, MatchFull) && compiles(filter) && !matches(filter, ev.Type, MatchPartial) {
			t.Fatalf("%q fits the whole of %q but no part", filter, ev.Type)
		}
		if id := correlationOf(env); !printable(id) || id == "" {
			t.Fatalf("%q gives a correlation id that is no header: %q", body, id)
		}
	})
}

func FuzzRoute(f *testing.F) {
	for _, path := range []string{"/events/v4/topics", "/v4/subscriptions/webhook", "/v4/subscriptions/a/b", "/oauth2/v0/", "", notificationsPath, notificationsPath + "/a$b"} {
		f.Add("GET", path)
	}
	f.Fuzz(func(t *testing.T, method, path string) {
		r := routeOf(method, path)
		if r.subID != "" && !strings.HasSuffix(path, "/subscriptions/"+r.subID) {
			t.Fatalf("%s %s: id %q", method, path, r.subID)
		}
		if r.notifyID != "" && (r.op != OpFailedDelete || path != notificationsPath+"/"+r.notifyID) {
			t.Fatalf("%s %s: notification %q", method, path, r.notifyID)
		}
		if r.op == "" || r.wrongMethod && r.op != OpUnknown {
			t.Fatalf("%s %s: %+v", method, path, r)
		}
	})
}

func FuzzAccept(f *testing.F) {
	for _, accept := range []string{"application/xml", "application/json;q=0.5, text/xml;q=0.4", "*/*", ",;q=", "application/json;q=NaN"} {
		f.Add(accept)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		asXML, asJSON := preferred([]string{accept}, FailedXML), preferred([]string{accept}, FailedJSON)
		if asXML != asJSON && (asXML != FailedXML || asJSON != FailedJSON) {
			t.Fatalf("%q: %s or %s, neither of which is what was to be assumed", accept, asXML, asJSON)
		}
		if lower := strings.ToLower(accept); asXML == asJSON && !strings.Contains(lower, "/xml") && !strings.Contains(lower, "/json") {
			t.Fatalf("%q decides for %s and names neither form", accept, asXML)
		}
	})
}

// FuzzAdmin sends any body to every call of the admin API that decodes one. None may fail for a reason of
// our own, which is what 500 stands for.
func FuzzAdmin(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `[]`, `{"groups":["g"]}`, `{"secrets":["s"],"scopes":["a"]}`, `{"applicationId":"a","topic":"t"}`,
		`{"operation":"put","times":1,"status":503,"delay":"2s"}`, `{"delete-delay":"1h","padding":"pss"}`,
		`{"certificate":"expired","signature":"wrong"}`, `{"hosts":["localhost","::1"]}`, `{"by":"720h"}`,
		`{"host":"https://a","userName":"1234567890","password":"1234567890","path":"/\u0000"}`, `{"user":"u","expiresAt":""}`,
		`{"eventType":"e","objectType":"o","objectURI":"u","eventTime":"9999-12-31T23:59:59Z","context":"\u0000"}`,
		`{"duplicates":"NaN"}`, `{"hosts":["\u0000",""]}`, `{"by":"-1h"}`, `{"topic":"t","eventType":"e"}`,
	} {
		f.Add([]byte(seed))
	}
	paths := map[string]string{
		"/v1/applications/a": "PUT", "/v1/applications/a/companies/c": "PUT", "/v1/subscriptions/s": "PUT",
		"/v1/events": "POST", "/v1/faults": "POST", "/v1/assumptions": "PATCH", "/v1/disguise": "PUT",
		"/v1/certificates": "POST", "/v1/clock": "POST", "/v1/connectors/c": "PUT", "/v1/notifications": "POST",
		"/v1/raw-notifications?connector=c": "POST", "/v1/user-tokens": "POST",
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		emu, err := New(WithClock(clocktesting.NewFakeClock(time.Unix(1e9, 0))))
		if err != nil {
			t.Fatal(err)
		}
		emu.PutApplication(Application{ID: "a"})
		for path, method := range paths {
			w := httptest.NewRecorder()
			emu.AdminHandler().ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(string(body))))
			if w.Code >= 500 {
				t.Errorf("%s %s with %q answered %d %s", method, path, body, w.Code, w.Body)
			}
		}
	})
}

func ExampleSample() {
	ev, err := Sample("expense-report-updated-1")
	fmt.Println(ev.Topic, envelopeOf(ev.Body).eventType, err)
	// Output: public.concur.expense.report reportUpdated <nil>
}
