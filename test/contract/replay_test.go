package contract_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// situation is what leads the emulator to a published answer, beyond what given.json says, and which
// parts of its answer may be others than those published.
type situation struct {
	reason    string
	assume    func(*essemulator.Assumptions)
	arrange   func(*bench)
	published bool   // injected as published: the emulator has no such refusal of its own
	secret    string // what the caller proves itself with, when not the right one
	words     bool   // texts and codes may differ: the published ones are another service's
	lacks     string // a member that only the other service has
}

// situations by exchange. Those not named need none.
var situations = map[string]situation{
	"get-object": {
		reason: "the API Explorer shows an object, the reference pages an array",
		assume: func(a *essemulator.Assumptions) { a.GetShape = essemulator.GetObject },
	},
	"get-absent-empty": {
		reason: "how an absent subscription is answered is not documented",
		assume: func(a *essemulator.Assumptions) { a.Statuses.UnknownID = http.StatusOK },
	},
	"token-number-life": {
		reason: "pages show expires_in as a number and as a string",
		assume: func(a *essemulator.Assumptions) { a.ExpiresIn = essemulator.ExpiresInNumber },
		arrange: func(b *bench) {
			b.SetBaseURL("https://us2.api.concursolutions.com")
			b.PutApplication(application(ourApp, strings.Fields(
				"receipts.read company.read document.tax.compliance.read events.topic.read openid receipts.write")...))
		},
	},
	"token-string-life": {
		reason: "the data center and the scopes are those of the page",
		arrange: func(b *bench) {
			b.SetBaseURL("https://us.api.concursolutions.com")
			b.PutApplication(application(ourApp, "app-scopes"))
		},
	},
	"token-error-5": {
		reason: "a wrong secret has code 64 here, a wrong password 5 on the page; the status is not documented",
		assume: func(a *essemulator.Assumptions) { a.Statuses.InvalidClient = http.StatusBadRequest },
		secret: "wrong", words: true,
	},
	"token-error-16":  {reason: "there is one data center", published: true},
	"token-error-108": {reason: "there are no refresh tokens", published: true},
	"refused-400": {
		reason: "the sixth subscription, in the form of List v4, which lists validation errors besides",
		assume: func(a *essemulator.Assumptions) { a.SubscriptionLimit = 1 },
		arrange: func(b *bench) {
			b.PutApplication(application(ourApp, "events.topic.read", topicScopes["public.test"]))
			b.PutSubscription(held("another", ourApp))
		},
		words: true, lacks: "validationErrors",
	},
	"refused-401": {
		reason: "a token without the scope, in the form of Detokenizer v5",
		assume: func(a *essemulator.Assumptions) {
			a.Statuses.MissingScope, a.ErrorShape = http.StatusUnauthorized, essemulator.ErrorFlat
		},
		arrange: func(b *bench) { b.PutApplication(application(ourApp, "expense.report.read")) },
		words:   true,
	},
	"refused-429": {reason: "there is no rate limit", published: true},
}

// topicScopes open the topics of the exchanges.
var topicScopes = map[string]string{
	"public.test":                           "emulator.public.test",
	"public.concur.document.tax.compliance": "document.tax.compliance.read",
	"concur.travel.search":                  "travelrequest.write",
	"public.concur.travel.search":           "travelrequest.write",
}

// prepare makes an emulator in which the exchange can take place.
func (x exchange) prepare(t *testing.T, s situation) *bench {
	t.Helper()
	b := newBench(t, s.assume)
	if len(x.topics) > 0 {
		scopes := []string{"events.topic.read"}
		for _, topic := range x.topics {
			scopes = append(scopes, topicScopes[topic])
		}
		b.PutApplication(application(ourApp, scopes...))
	}
	for _, raw := range x.subscriptions {
		b.PutSubscription(givenSubscription(t, raw))
	}
	if s.arrange != nil {
		s.arrange(b)
	}
	return b
}

// inject makes the published answer the emulator's. It comes after the test's own token request.
func (x exchange) inject(b *bench) {
	operation := strings.Fields(x.call)[0]
	header := x.response.header.Clone()
	b.InjectFault(essemulator.Fault{Operation: operation, Status: x.status, Header: header, Body: x.response.body})
}

// givenSubscription reads ESS's own form. Whatever application a page names, it is ours.
func givenSubscription(t *testing.T, raw json.RawMessage) essemulator.Subscription {
	t.Helper()
	var w struct {
		ID, Topic, Filter, Scope string
		WebHookConfig            struct{ Endpoint string }
		Groups, CompanyIDs       []string
	}
	if err := json.Unmarshal(raw, &w); err != nil {
		t.Fatal(err)
	}
	return essemulator.Subscription{
		ID: w.ID, ApplicationID: ourApp, Topic: w.Topic, Filter: w.Filter, Endpoint: w.WebHookConfig.Endpoint,
		Scope: w.Scope, Groups: w.Groups, CompanyIDs: w.CompanyIDs,
	}
}

// TestEmulatorAnswersAsPublished sends each published request, under both prefixes that Concur's pages use.
func TestEmulatorAnswersAsPublished(t *testing.T) {
	t.Parallel()
	for name, x := range exchanges(t) {
		for _, prefix := range []string{"/events/v4/", "/v4/"} {
			t.Run(name+" "+strings.Trim(prefix, "/"), func(t *testing.T) {
				t.Parallel()
				s := situations[name]
				b := x.prepare(t, s)
				token := ""
				if !strings.HasPrefix(x.call, "token") {
					token = b.token(t)
				}
				if s.published {
					x.inject(b)
				}
				request := x.request
				request.first = strings.Replace(request.first, "/events/v4/", prefix, 1)
				id := uuid.NewString()
				got, status := b.send(t, request, map[string]string{
					"{{token}}": token, "{{uuid}}": id, "{{client_id}}": ourApp, "{{client_secret}}": secret + s.secret,
				})
				x.check(t, s, got, status)
				if sent := request.header.Get("Concur-Correlationid"); sent != "" && !s.published && got.header.Get("Concur-Correlationid") != id {
					t.Errorf("the correlation id is %q, want that of the caller", got.header.Get("Concur-Correlationid"))
				}
			})
		}
	}
}

// TestSituationsAreOfExchanges fails for a situation whose exchange is gone.
func TestSituationsAreOfExchanges(t *testing.T) {
	t.Parallel()
	known := slices.Collect(maps.Keys(exchanges(t)))
	for name, s := range situations {
		if !slices.Contains(known, name) || s.reason == "" {
			t.Errorf("%s: no such exchange, or no reason", name)
		}
	}
}

// token gets an access token as any caller would.
func (b *bench) token(t *testing.T) string {
	t.Helper()
	form := url.Values{"client_id": {ourApp}, "client_secret": {secret}, "grant_type": {"client_credentials"}}
	got, status := b.send(t, message{
		first:  "POST /oauth2/v0/token HTTP/1.1",
		header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		body:   form.Encode(),
	}, nil)
	var grant struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(got.body), &grant); err != nil || status != http.StatusOK {
		t.Fatalf("no token: %d %s", status, got.body)
	}
	return grant.AccessToken
}

// send sends a message with its placeholders replaced.
func (b *bench) send(t *testing.T, m message, values map[string]string) (message, int) {
	t.Helper()
	fill := func(text string) string {
		for placeholder, value := range values {
			text = strings.ReplaceAll(text, placeholder, value)
		}
		return text
	}
	line := strings.Fields(m.first)
	req, err := http.NewRequestWithContext(t.Context(), line[0], b.server.URL+line[1], strings.NewReader(fill(m.body)))
	if err != nil {
		t.Fatal(err)
	}
	for name, list := range m.header {
		for _, value := range list {
			req.Header.Add(name, fill(value))
		}
	}
	resp, err := b.server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return message{first: resp.Status, header: resp.Header, body: string(body)}, resp.StatusCode
}
