package ess

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSubscriptionIsAbsentUnlessTheAnswerHoldsIt(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason, body string
		want         error
	}{
		"Array":       {"The reference page shows an array.", `[{"id":"other"},{"id":"acme.reports"}]`, nil},
		"Object":      {"The schema shows an object.", ` {"id":"acme.reports","new":[1]}`, nil},
		"EmptyArray":  {"Nothing found.", `[]`, ErrNotFound},
		"OtherID":     {"Someone else's subscription is not this one.", `[{"id":"acme.reports2"}]`, ErrNotFound},
		"OtherObject": {"Likewise.", `{"id":"acme"}`, ErrNotFound},
		"Message":     {"An object without id is no subscription.", `{"message":"no such subscription"}`, ErrNotFound},
		"Null":        {"null says nothing about the subscription.", `null`, ErrMalformed},
		"Empty":       {"Nor does an empty body.", ``, ErrMalformed},
		"HTML":        {"A login page is not ESS.", `<html>`, ErrMalformed},
		"Trailing":    {"Two answers in one are none.", `[] []`, ErrMalformed},
		"WrongShape":  {"An id that is a number is not the documented one.", `[{"id":7}]`, ErrMalformed},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := newConcur(t, answers(200, tc.body)).client(t).Subscription(t.Context(), "acme.reports")
			if !errors.Is(err, tc.want) {
				t.Errorf("%s\ngot %v, want %v", tc.reason, err, tc.want)
			}
			if err == nil && got.ID != "acme.reports" {
				t.Errorf("%s\ngot %+v", tc.reason, got)
			}
		})
	}
}

func TestListsMustBeReadableAsAWhole(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason, body string
		call         string
		want         error
		text         string
	}{
		"NoSubscriptions": {"An application may have none.", `[]`, "list", nil, ""},
		"NoTopics":        {"Without scopes there are no topics.", `[]`, "topics", nil, ""},
		"NullList":        {"null must not read as an empty inventory.", `null`, "list", ErrMalformed, "want an array of subscriptions, got null"},
		"NullTopics":      {"Likewise.", `null`, "topics", ErrMalformed, "want an array of topic names, got null"},
		"Wrapped":         {"Another shape may mean paging that we do not know.", `{"items":[]}`, "list", ErrMalformed, "want an array of subscriptions"},
		"WithoutID":       {"What cannot be named cannot be compared.", `[{"id":"a"},{}]`, "list", ErrMalformed, "want an id in every subscription"},
		"NullElement":     {"Likewise.", `[null]`, "list", ErrMalformed, "want an id in every subscription"},
		"UnnamedTopic":    {"A topic is its name.", `["a",""]`, "topics", ErrMalformed, "want a name for every topic"},
		"HTML":            {"A proxy's page is worth showing.", "<title>\nLogin</title>", "topics", ErrMalformed, "want an array of topic names, got <title> Login</title>"},
		"Empty":           {"An empty body is not an empty list.", "", "list", ErrMalformed, "want an array of subscriptions, got an empty body"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call, op := callList, "listing subscriptions"
			if tc.call == "topics" {
				call, op = callTopics, "listing topics"
			}
			err := call(t.Context(), newConcur(t, answers(200, tc.body)).client(t))
			if !errors.Is(err, tc.want) {
				t.Errorf("%s\ngot %v, want %v", tc.reason, err, tc.want)
			}
			if want := fmt.Sprintf("%s: answer not understood: %s (HTTP 200)", op, tc.text); err != nil && err.Error() != want {
				t.Errorf("%s\ngot  %s\nwant %s", tc.reason, err, want)
			}
		})
	}
}

func TestEmptyListsReadAsNil(t *testing.T) {
	t.Parallel()
	got, err := decodeSubscriptions([]byte(`[{"id":"a","companyIds":[],"groups":null,"webHookConfig":{"endpoint":"https://a"}}]`))
	if diff := cmp.Diff([]Subscription{{ID: "a", Endpoint: "https://a"}}, got); err != nil || diff != "" {
		t.Errorf("got error %v, subscriptions (-want +got):\n%s", err, diff)
	}
}

func TestPutSendsOnlyWhatIsOurs(t *testing.T) {
	t.Parallel()
	server := newConcur(t, answers(200, "saved, in words that are not JSON"))
	err := server.client(t).Put(t.Context(), Subscription{
		ID: "a", Topic: "public.test", Endpoint: "https://a.example/?x=1&y=2",
		ApplicationID: "app", CompanyIDs: []string{"c"}, Groups: []string{"g"}, Scope: "s",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"id": "a", "topic": "public.test", "filter": "", "webHookConfig": map[string]any{"endpoint": "https://a.example/?x=1&y=2"},
	}
	if diff := cmp.Diff(want, decoded(t, server.seenCalls()[0].Body)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

func TestIDsCannotReachOtherPaths(t *testing.T) {
	t.Parallel()
	server := newConcur(t, answers(200, "[]"))
	client := server.client(t)
	for _, id := range []string{"", ".", "..", "webhook"} {
		_, err := client.Subscription(t.Context(), id)
		for _, err := range []error{err, client.Delete(t.Context(), id), client.Put(t.Context(), Subscription{ID: id})} {
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("id %q: got %v, want %v", id, err, ErrInvalid)
			}
		}
	}
	if n := len(server.seenCalls()) + len(server.seenGrants()); n != 0 {
		t.Errorf("%d requests were sent for ids that cannot be", n)
	}
	if _, err := client.Subscription(t.Context(), "a/../b?c#d%"); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v, want %v", err, ErrNotFound)
	}
	if got, want := server.seenCalls()[0].Path, "/events/v4/subscriptions/a%2F..%2Fb%3Fc%23d%25"; got != want {
		t.Errorf("got path %q, want %q", got, want)
	}
}

func TestCallsGoWhereTheyShould(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		edit   func(*Config, string)
		path   string
	}{
		"Default":    {"The documented prefix, at the geolocation.", func(*Config, string) {}, "/events/v4/topics"},
		"Prefix":     {"Some guides use the short prefix.", func(c *Config, _ string) { c.PathPrefix = "v4/" }, "/v4/topics"},
		"Root":       {"A gateway of one's own may map the root.", func(c *Config, _ string) { c.PathPrefix = "/" }, "/topics"},
		"APIURL":     {"Set by hand, it wins; its path stays.", func(c *Config, u string) { c.APIURL = u + "/proxy/" }, "/proxy/events/v4/topics"},
		"SlashedURL": {"A trailing slash is no path.", func(c *Config, u string) { c.BaseURL = u + "/" }, "/events/v4/topics"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newConcur(t, answers(200, "[]"))
			client := server.client(t, func(cfg *Config) { tc.edit(cfg, server.URL) })
			if err := callTopics(t.Context(), client); err != nil {
				t.Fatal(err)
			}
			if got := server.seenCalls()[0].Path; got != tc.path {
				t.Errorf("%s\ngot path %q, want %q", tc.reason, got, tc.path)
			}
		})
	}
}

func TestMissingGeolocationMeansTheBaseURL(t *testing.T) {
	t.Parallel()
	server := newConcur(t, answers(200, "[]"))
	server.grant = answers(200, `{"access_token":"t"}`)
	if err := callTopics(t.Context(), server.client(t)); err != nil {
		t.Error(err)
	}
}

func TestHostsThatAreNotAllowedGetNoRequest(t *testing.T) {
	t.Parallel()
	errDenied := errors.New("only *.concursolutions.com")
	tests := map[string]struct {
		reason, location string
		allow            func(*url.URL) error
		grants           int
	}{
		"TokenHost": {"The secret must not leave.", "", func(*url.URL) error { return errDenied }, 0},
		"Geolocation": {"An answer must not name a host that the user could not.", "https://evil.example", func(u *url.URL) error {
			if strings.HasPrefix(u.Host, "127.") {
				return nil
			}
			return errDenied
		}, 1},
		"PlainGeolocation": {"A token must not cross a network in the clear.", "http://us.example", nil, 1},
		"UserGeolocation":  {"A base URL has no user.", "https://me:pw@us.example", nil, 1},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newConcur(t, func(http.ResponseWriter, *http.Request) { t.Error("the call was made") })
			server.grant = answers(200, fmt.Sprintf(`{"access_token":"t","geolocation":%q}`, tc.location))
			err := callTopics(t.Context(), server.client(t, func(cfg *Config) { cfg.AllowURL = tc.allow }))
			if !errors.Is(err, ErrHostNotAllowed) || strings.Contains(fmt.Sprint(err), "pw") {
				t.Errorf("%s\ngot %v", tc.reason, err)
			}
			if got := len(server.seenGrants()); got != tc.grants {
				t.Errorf("made %d token requests, want %d", got, tc.grants)
			}
		})
	}
}
