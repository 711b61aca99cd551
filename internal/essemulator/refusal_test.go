package essemulator_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

const endpointURL = "https://example.com/hook"

// refusalCase is a call that is refused, after before has set the stage.
type refusalCase struct {
	reason string
	before func(*bench)
	method string
	path   string
	body   string
	want   int
}

func foreign(id string) func(*bench) {
	return func(b *bench) {
		b.emu.PutSubscription(essemulator.Subscription{ID: id, ApplicationID: appB, Topic: reports, Endpoint: endpointURL})
	}
}

var refusals = map[string]refusalCase{
	"NotJSON":         {reason: "nothing can be read", method: "PUT", body: `{`, want: 400},
	"NotAnObject":     {reason: "null is no subscription", method: "PUT", body: `null`, want: 400},
	"WrongType":       {reason: "id must be a string", method: "PUT", body: `{"id":1}`, want: 400},
	"MissingID":       {reason: "id is required", method: "PUT", body: putJSON("", reports, ".*", endpointURL), want: 400},
	"CapitalID":       {reason: "Concur allows a-z 0-9 . -", method: "PUT", body: putJSON("Acme", reports, ".*", endpointURL), want: 400},
	"IDWithSlash":     {reason: "as above", method: "PUT", body: putJSON("a/b", reports, ".*", endpointURL), want: 400},
	"IDWebhook":       {reason: "it is the path of PUT", method: "PUT", body: putJSON("webhook", reports, ".*", endpointURL), want: 400},
	"MissingTopic":    {reason: "topic is required", method: "PUT", body: putJSON("a", "", ".*", endpointURL), want: 400},
	"MissingEndpoint": {reason: "endpoint is required", method: "PUT", body: putJSON("a", reports, ".*", ""), want: 400},
	"PlainEndpoint":   {reason: "Concur posts to https only", method: "PUT", body: putJSON("a", reports, ".*", "http://example.com"), want: 400},
	"NoHost":          {reason: "nowhere to post to", method: "PUT", body: putJSON("a", reports, ".*", "https:///hook"), want: 400},
	"BadFilter":       {reason: "not a regular expression", method: "PUT", body: putJSON("a", reports, "(", endpointURL), want: 400},
	"MisspeltName": {
		reason: "JSON names are exact: webhookConfig is not webHookConfig",
		method: "PUT", body: `{"id":"a","topic":"` + reports + `","webhookConfig":{"endpoint":"https://x.example"}}`, want: 400,
	},
	"TopicOutsideScopes": {
		reason: "the application holds no scope of that topic",
		method: "PUT", body: putJSON("a", "public.concur.request", ".*", endpointURL), want: 403,
	},
	"UnknownTopic": {
		reason: "no scope opens it", method: "PUT", body: putJSON("a", "no.such.topic", ".*", endpointURL), want: 403,
	},
	"IDTaken": {
		reason: "ids are unique over all applications", before: foreign("taken"),
		method: "PUT", body: putJSON("taken", reports, ".*", endpointURL), want: 409,
	},
	"SixthSubscription": {
		reason: "five is Concur's documented limit",
		before: func(b *bench) {
			for _, id := range []string{"s1", "s2", "s3", "s4", "s5"} {
				b.subscribe(id, endpointURL)
			}
			b.subscribe("s1", endpointURL) // an update needs no place
		},
		method: "PUT", body: putJSON("s6", reports, ".*", endpointURL), want: 400,
	},
	"GetUnknown":    {reason: "no such id", method: "GET", path: "/nothing", want: 404},
	"GetForeign":    {reason: "not ours to see", before: foreign("theirs"), method: "GET", path: "/theirs", want: 404},
	"DeleteUnknown": {reason: "no such id", method: "DELETE", path: "/nothing", want: 404},
	"DeleteForeign": {reason: "not ours to delete", before: foreign("theirs"), method: "DELETE", path: "/theirs", want: 404},
	"PostToList":    {reason: "no document has a POST", method: "POST", path: "/x", want: 405},
	"DeeperPath":    {reason: "no such resource", method: "GET", path: "/a/b", want: 404},
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, tc := range refusals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil)
			if tc.before != nil {
				tc.before(b)
			}
			before := b.emu.Subscriptions("")
			path := apiPath + tc.path
			if tc.path == "" {
				path = apiPath + "/webhook"
			}
			a := b.call(tc.method, path, tc.body)
			if a.Status != tc.want {
				t.Errorf("got %d %s, want %d: %s", a.Status, a.Body, tc.want, tc.reason)
			}
			if diff := cmp.Diff(before, b.emu.Subscriptions("")); diff != "" {
				t.Errorf("a refused call changed something (-before +after):\n%s", diff)
			}
		})
	}
}

func TestErrorShapes(t *testing.T) {
	t.Parallel()
	cases := map[essemulator.ErrorShape]string{
		essemulator.ErrorSibling: `{"timestamp":"2026-06-01T12:00:00.000+00:00","httpStatus":"404 - Not Found",` +
			`"error":{"id":"subscription.not.found","message":"Subscription 'x' not found"},"path":"/events/v4/subscriptions/x"}`,
		essemulator.ErrorFlat: `{"timestamp":"2026-06-01T12:00:00.000+00:00","httpStatus":"404 - Not Found",` +
			`"errorMessage":"Subscription 'x' not found","errorId":"subscription.not.found","path":"/events/v4/subscriptions/x"}`,
		essemulator.ErrorText:  `Subscription 'x' not found`,
		essemulator.ErrorEmpty: ``,
	}
	for shape, want := range cases {
		t.Run(string(shape), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(a *essemulator.Assumptions) { a.ErrorShape = shape })
			if got := b.call("GET", apiPath+"/x", "").Body; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestStatusesOfRefusalsAreAssumptions(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(a *essemulator.Assumptions) {
		a.Statuses.IDTaken, a.Statuses.UnknownID, a.Statuses.ForeignID = 403, 200, 200
	})
	foreign("theirs")(b)
	if got := b.call("PUT", apiPath+"/webhook", putJSON("theirs", reports, ".*", endpointURL)).Status; got != 403 {
		t.Errorf("PUT of a taken id answered %d, want the 403 assumed", got)
	}
	for _, id := range []string{"nothing", "theirs"} {
		if a := b.call("GET", apiPath+"/"+id, ""); a.Status != 200 || a.Body != "[]" {
			t.Errorf("GET %s answered %d %s, want 200 []", id, a.Status, a.Body)
		}
		if a := b.call("DELETE", apiPath+"/"+id, ""); a.Status != 200 {
			t.Errorf("DELETE %s answered %d, want 200", id, a.Status)
		}
	}
	if got := b.emu.Subscriptions(appB); len(got) != 1 || got[0].MarkedForDeletion {
		t.Errorf("DELETE by a stranger did something: %+v", got)
	}
}

func TestAuthorization(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.emu.PutApplication(essemulator.Application{ID: "bare", Secrets: []string{"secret-bare"}, Scopes: []string{"openid"}})
	good, bare := b.tokenOf(appA), b.tokenOf("bare")
	cases := map[string]struct {
		reason string
		header string
		want   int
	}{
		"Missing":      {"the platform says 401 when there is no header", "", 401},
		"Good":         {"issued, not expired, right scope", "Bearer " + good, 200},
		"LowerCase":    {"schemes are case-insensitive", "bearer " + good, 200},
		"Garbage":      {"403 when it is there and not valid", "Bearer x", 403},
		"WrongScheme":  {"as above", "Basic " + good, 403},
		"Tampered":     {"one letter off", "Bearer " + good[:len(good)-1] + "~", 403},
		"MissingScope": {"events.topic.read is needed for every call", "Bearer " + bare, 403},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var header []string
			if tc.header != "" {
				header = []string{"Authorization", tc.header}
			}
			if a := b.mustSend("GET", apiPath, "", header...); a.Status != tc.want {
				t.Errorf("got %d %s, want %d: %s", a.Status, a.Body, tc.want, tc.reason)
			}
		})
	}
}

func TestTokensEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	other := []string{"Authorization", "Bearer " + b.tokenOf(appB)}
	b.clock.Step(time.Hour - time.Second)
	if got := b.mustSend("GET", apiPath, "", other...).Status; got != 200 {
		t.Errorf("a second before its end a token got %d", got)
	}
	b.clock.Step(time.Second)
	if got := b.mustSend("GET", apiPath, "", other...).Status; got != 403 {
		t.Errorf("an ended token got %d, want 403", got)
	}
	b.call("GET", apiPath, "")
	b.emu.RevokeTokens(appA)
	if got := b.call("GET", apiPath, "").Status; got != 403 {
		t.Errorf("a revoked token got %d, want 403", got)
	}
	b.token = ""
	if got := b.call("GET", apiPath, "").Status; got != 200 {
		t.Errorf("a token issued after the revocation got %d, want 200", got)
	}
}

func TestChunkedBodyIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	token := b.tokenOf(appA)
	body := putJSON("a", reports, ".*", endpointURL)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, b.srv.URL+apiPath+"/webhook",
		struct{ *strings.Reader }{strings.NewReader(body)}) // a reader of unknown length
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := b.srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got struct{ Error struct{ Message string } }
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("got %d %v, want 400", resp.StatusCode, err)
	}
	if !strings.Contains(got.Error.Message, "Content-Length") {
		t.Errorf("message %q does not say what is missing", got.Error.Message)
	}
}
