package essemulator_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

func TestRequestLogReadsLikeAConversation(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.subscribe("acme.reports", "https://example.com/hook")
	b.call("GET", apiPath, "")
	b.call("GET", "/v4/subscriptions/webhook", "")
	b.call("GET", apiPath+"/acme.reports", "")
	b.call("GET", "/events/v4/topics", "")
	b.call("DELETE", apiPath+"/acme.reports", "")
	want := []string{
		"POST token 200", "PUT acme.reports 200", "GET list 200", "GET list 200", "GET acme.reports 200",
		"GET topics 200", "DELETE acme.reports 200",
	}
	if diff := cmp.Diff(want, b.golden()); diff != "" {
		t.Errorf("request log (-want +got):\n%s", diff)
	}
}

func TestDeletionIsAsynchronous(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(a *essemulator.Assumptions) { a.DeleteDelay = time.Minute })
	b.subscribe("acme.reports", "https://example.com/hook")
	a := b.call("DELETE", apiPath+"/acme.reports", "")
	if want := `{"message":"Subscription 'acme.reports' marked for deletion"}`; a.Body != want {
		t.Errorf("DELETE answered %s, want %s", a.Body, want)
	}
	b.clock.Step(time.Minute - 1)
	if diff := cmp.Diff([]string{"acme.reports"}, b.ids()); diff != "" {
		t.Errorf("a marked subscription is listed until it is gone (-want +got):\n%s", diff)
	}
	b.clock.Step(1)
	if diff := cmp.Diff([]string{}, b.ids()); diff != "" {
		t.Errorf("after the delay it is gone (-want +got):\n%s", diff)
	}
	if got := b.call("GET", apiPath+"/acme.reports", "").Status; got != 404 {
		t.Errorf("GET of a deleted id answered %d, want 404", got)
	}
}

func TestPutOfAMarkedSubscription(t *testing.T) {
	t.Parallel()
	cases := map[essemulator.PutMarked]struct {
		status int
		left   []string
	}{
		essemulator.PutRevives: {200, []string{"acme.reports"}},
		essemulator.PutDoomed:  {200, []string{}},
		essemulator.PutRefused: {409, []string{}},
	}
	for how, tc := range cases {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(a *essemulator.Assumptions) { a.PutMarked = how })
			b.subscribe("acme.reports", endpointURL)
			b.call("DELETE", apiPath+"/acme.reports", "")
			a := b.call("PUT", apiPath+"/webhook", putJSON("acme.reports", reports, ".*", endpointURL))
			if a.Status != tc.status {
				t.Errorf("PUT answered %d %s, want %d", a.Status, a.Body, tc.status)
			}
			b.clock.Step(time.Hour)
			if diff := cmp.Diff(tc.left, b.ids()); diff != "" {
				t.Errorf("left after the deletion (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMarkedSubscriptionsMayBeHidden(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(a *essemulator.Assumptions) { a.MarkedListed = false })
	b.subscribe("acme.reports", endpointURL)
	b.call("DELETE", apiPath+"/acme.reports", "")
	if a := b.call("GET", apiPath, ""); a.Body != "[]" {
		t.Errorf("list shows %s, want []", a.Body)
	}
	if a := b.call("GET", apiPath+"/acme.reports", ""); a.Status != 404 {
		t.Errorf("GET answered %d, want 404", a.Status)
	}
}

func TestWireFormOfASubscription(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.subscribe("acme.reports", endpointURL)
	b.connect(appA, companyA)
	object := `{"allowPublicAccess":true,"startFromEarliest":false,"id":"acme.reports",` +
		`"topic":"public.concur.expense.report","filter":".*","webHookConfig":{"endpoint":"https://example.com/hook"},` +
		`"applicationId":"` + appA + `","scope":"","groups":[],"companyIds":["` + companyA + `"]}`
	for _, path := range []string{apiPath, "/v4/subscriptions", apiPath + "/webhook", apiPath + "/acme.reports"} {
		if got := b.call("GET", path, "").Body; got != "["+object+"]" {
			t.Errorf("GET %s:\ngot  %s\nwant [%s]", path, got, object)
		}
	}
	assume := b.emu.Assumptions()
	assume.GetShape = essemulator.GetObject
	if err := b.emu.SetAssumptions(assume); err != nil {
		t.Fatal(err)
	}
	if got := b.call("GET", apiPath+"/acme.reports", "").Body; got != object {
		t.Errorf("as an object:\ngot  %s\nwant %s", got, object)
	}
}

func TestUpdateChangesWhatItNames(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.subscribe("acme.reports", endpointURL)
	created := b.clock.Now()
	b.clock.Step(time.Hour)
	b.call("PUT", apiPath+"/webhook",
		`{"id":"acme.reports","topic":"`+reports+`","filter":"a|b","webHookConfig":{"endpoint":"https://x.example"},"scope":"z"}`)
	want := []essemulator.Subscription{{
		ID: "acme.reports", ApplicationID: appA, Topic: reports, Filter: "a|b", Endpoint: "https://x.example",
		CreatedAt: created, WithoutCompanySince: created,
	}}
	if diff := cmp.Diff(want, b.emu.Subscriptions("")); diff != "" {
		t.Errorf("after an update (-want +got):\n%s", diff)
	}
}

func TestAssumptionsOnPut(t *testing.T) {
	t.Parallel()
	other := "public.concur.request"
	cases := map[string]struct {
		reason string
		assume func(*essemulator.Assumptions)
		body   string
		want   int
	}{
		"TopicMayChange": {"default", nil, putJSON("a", other, ".*", endpointURL), 200},
		"TopicFixed": {
			"assumed", func(a *essemulator.Assumptions) { a.TopicChange = false }, putJSON("a", other, ".*", endpointURL), 400,
		},
		"ReadOnlyRejected": {
			"assumed", func(a *essemulator.Assumptions) { a.ReadOnlyFields = essemulator.RejectReadOnly },
			`{"id":"a","topic":"` + reports + `","webHookConfig":{"endpoint":"https://x.example"},"companyIds":[]}`, 400,
		},
		"AnyFilter": {
			"the dialect is Concur's", func(a *essemulator.Assumptions) { a.CheckFilter = false },
			putJSON("a", reports, "(?!x).*", endpointURL), 200,
		},
		"PlainEndpoint": {
			"assumed", func(a *essemulator.Assumptions) { a.PlainEndpoints = true },
			putJSON("a", reports, ".*", "http://localhost:1"), 200,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, tc.assume)
			b.emu.PutApplication(essemulator.Application{
				ID: appA, Secrets: []string{"secret-" + appA}, Scopes: essemulator.AllScopes(),
			})
			b.subscribe("a", endpointURL)
			if a := b.call("PUT", apiPath+"/webhook", tc.body); a.Status != tc.want {
				t.Errorf("got %d %s, want %d: %s", a.Status, a.Body, tc.want, tc.reason)
			}
		})
	}
}
