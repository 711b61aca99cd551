package ess

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"
)

// The calls that the tables below make.
var (
	callTopics = func(ctx context.Context, c *Client) error { _, err := c.Topics(ctx); return err }
	callList   = func(ctx context.Context, c *Client) error { _, err := c.Subscriptions(ctx); return err }
	callGet    = func(ctx context.Context, c *Client) error { _, err := c.Subscription(ctx, "acme.reports"); return err }
	callDelete = func(ctx context.Context, c *Client) error { return c.Delete(ctx, "acme.reports") }
	callPut    = func(ctx context.Context, c *Client) error {
		return c.Put(ctx, Subscription{ID: "acme.reports", Topic: "public.test", Filter: ".*", Endpoint: "https://acme.example"})
	}
)

const sibling = `{"timestamp":"2022-12-13T20:30:06.230+00:00","httpStatus":"x","error":{"id":"some.id","message":"no"},"path":"/p"}`

// statusCase is one refusal and how it must read.
type statusCase struct {
	reason string
	status int
	body   string
	call   func(context.Context, *Client) error
	want   error
	text   string
}

var statusCases = map[string]statusCase{
	"Invalid": {
		reason: "A malformed request cannot be cured by repeating it.",
		status: 400, body: sibling, call: callPut, want: ErrInvalid,
		text: "saving subscription acme.reports: request refused as invalid: no (some.id) (HTTP 400)",
	},
	"Unprocessable": {
		reason: "422 is how many frameworks spell a failed validation.",
		status: 422, call: callPut, want: ErrInvalid,
		text: "saving subscription acme.reports: request refused as invalid (HTTP 422)",
	},
	"UnauthorizedRead": {
		reason: "401 after a fresh token means missing rights.",
		status: 401, call: callTopics, want: ErrUnauthorized, text: "listing topics: token refused (HTTP 401)",
	},
	"ForbiddenRead": {
		reason: "The platform documents 403 for tokens that are not valid, so on a read it is no different from 401.",
		status: 403, call: callList, want: ErrUnauthorized, text: "listing subscriptions: token refused (HTTP 403)",
	},
	"ForbiddenWrite": {
		reason: "A write answered 403 with a fresh token is about what is written.",
		status: 403, call: callPut, want: ErrForbidden,
		text: "saving subscription acme.reports: not allowed to this application (HTTP 403)",
	},
	"ForbiddenDelete": {
		reason: "Likewise: the subscription is someone else's.",
		status: 403, call: callDelete, want: ErrForbidden,
		text: "deleting subscription acme.reports: not allowed to this application (HTTP 403)",
	},
	"ForbiddenReadOfOne": {
		reason: "What ESS answers about a foreign or absent id is not documented: 403 need not mean that all reads are refused.",
		status: 403, call: callGet, want: ErrForbidden,
		text: "reading subscription acme.reports: not allowed to this application (HTTP 403)",
	},
	"AbsentOne": {
		reason: "404 on one subscription is its absence.",
		status: 404, call: callGet, want: ErrNotFound,
		text: "reading subscription acme.reports: no such subscription (HTTP 404)",
	},
	"AbsentPath": {
		reason: "404 on the list cannot mean a subscription: the URL is wrong, and an empty inventory would be a lie.",
		status: 404, call: callList, want: ErrMalformed,
		text: "listing subscriptions: answer not understood: nothing at this path, check the URL and the path prefix (HTTP 404)",
	},
	"AbsentPut": {
		reason: "PUT creates, so 404 is about the path.",
		status: 404, call: callPut, want: ErrMalformed,
		text: "saving subscription acme.reports: answer not understood: nothing at this path, check the URL and the path prefix (HTTP 404)",
	},
	"Conflict": {
		reason: "409 on a PUT can only be the id.",
		status: 409, call: callPut, want: ErrTaken,
		text: "saving subscription acme.reports: subscription id taken (HTTP 409)",
	},
	"TooMany": {
		reason: "The caller must slow down.",
		status: 429, body: sibling, call: callGet, want: ErrRateLimited,
		text: "reading subscription acme.reports: too many requests: no (some.id) (HTTP 429)",
	},
	"ServerError": {
		reason: "A failing server may recover.",
		status: 500, body: "<html>  boom\n</html>", call: callTopics, want: ErrUnavailable,
		text: "listing topics: service unavailable: <html> boom </html> (HTTP 500)",
	},
	"Maintenance": {
		reason: "Documented as maintenance.",
		status: 503, call: callPut, want: ErrUnavailable,
		text: "saving subscription acme.reports: service unavailable (HTTP 503)",
	},
	"Teapot": {
		reason: "A status that nobody documents is not understood.",
		status: 418, body: `{"message":"short and stout"}`, call: callList, want: ErrMalformed,
		text: "listing subscriptions: answer not understood: unexpected status: short and stout (HTTP 418)",
	},
}

func TestStatusDecidesTheKind(t *testing.T) {
	t.Parallel()
	for name, tc := range statusCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newConcur(t, answers(tc.status, tc.body)).client(t)
			err := tc.call(t.Context(), client)
			if !errors.Is(err, tc.want) {
				t.Errorf("%s\ngot %v, want kind %v", tc.reason, err, tc.want)
			}
			if err != nil && err.Error() != tc.text {
				t.Errorf("%s\ngot  %s\nwant %s", tc.reason, err, tc.text)
			}
		})
	}
}

func TestDeleteOfAbsentSubscriptionSucceeds(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusNotFound, http.StatusGone, http.StatusOK, http.StatusNoContent} {
		if err := callDelete(t.Context(), newConcur(t, answers(status, "")).client(t)); err != nil {
			t.Errorf("HTTP %d: Delete must succeed, got %v", status, err)
		}
	}
}

func TestPutReadsTheTextOfARefusal(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		status int
		body   string
		call   func(context.Context, *Client) error
		want   error
	}{
		"Taken":        {"The id is someone else's, however ESS numbers it.", 400, `{"message":"Subscription 'acme.reports' already exists"}`, callPut, ErrTaken},
		"TakenAs403":   {"403 is as likely a status for it.", 403, `{"error":{"id":"x","message":"id is owned by another application"}}`, callPut, ErrTaken},
		"Limit":        {"The sixth subscription must read as a quota.", 400, `{"message":"Maximum number of subscriptions reached"}`, callPut, ErrQuota},
		"LimitAs429":   {"429 with such a text is no rate.", 429, `{"errorMessage":"subscription limit exceeded"}`, callPut, ErrQuota},
		"LimitAs409":   {"The text says more than the status.", 409, `too many subscriptions`, callPut, ErrQuota},
		"LimitID":      {"The id of a fault may say it alone.", 400, `{"error":{"id":"subscription.limit.reached"}}`, callPut, ErrQuota},
		"LimitCount":   {"A plain way to say it.", 403, `application already has 5 subscriptions`, callPut, ErrQuota},
		"BadFilter":    {"An ordinary mistake is neither.", 400, `{"message":"filter of the subscription is not a regular expression"}`, callPut, ErrInvalid},
		"RateWorded":   {"A rate limit is no quota, even in a sentence on subscriptions.", 429, `subscription calls hit the rate limit`, callPut, ErrRateLimited},
		"Rate":         {"A rate limit is not the subscription limit.", 429, `{"error":{"id":"security.rate.limit.reached","message":"Too many requests"}}`, callPut, ErrRateLimited},
		"Busy":         {"The platform documents 400 for overload; that must not stall an object.", 400, `Too many requests`, callPut, ErrUnavailable},
		"BusyRead":     {"Reads can be overloaded as well.", 400, `deadlock victim`, callList, ErrUnavailable},
		"ReadIgnores":  {"A read cannot find an id taken.", 400, `already exists`, callGet, ErrInvalid},
		"ServerIgnore": {"A failing server's text decides nothing.", 500, `already exists`, callPut, ErrUnavailable},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tc.call(t.Context(), newConcur(t, answers(tc.status, tc.body)).client(t))
			if !errors.Is(err, tc.want) {
				t.Errorf("%s\ngot %v, want kind %v", tc.reason, err, tc.want)
			}
		})
	}
}

func TestIDCannotDisguiseARefusal(t *testing.T) {
	t.Parallel()
	client := newConcur(t, answers(400, `{"message":"Subscription 'already.exists-already exists' has a bad filter"}`)).client(t)
	err := client.Put(t.Context(), Subscription{ID: "already.exists-already exists"})
	if !errors.Is(err, ErrInvalid) {
		t.Errorf("the words of an id must not be read as those of ESS, got %v", err)
	}
}

func TestErrorCarriesWhatSupportAsksFor(t *testing.T) {
	t.Parallel()
	const id = "610425c5-4c2e-4bdb-ab5d-02775e23c7c9"
	for _, header := range []string{correlationHeader, "concur-correlationid", "correlationid"} {
		err := callTopics(t.Context(), newConcur(t, answers(429, "see "+id, header, id, "Retry-After", "7")).client(t))
		if got := CorrelationID(err); got != id {
			t.Errorf("%s: got correlation id %q, want %q", header, got, id)
		}
		if got := RetryAfter(err); got != 7*time.Second {
			t.Errorf("got retry after %v, want 7s", got)
		}
		if got, want := err.Error(), "listing topics: too many requests: see (HTTP 429)"; got != want {
			t.Errorf("a text with an id that changes would flap in a condition: got %q, want %q", got, want)
		}
	}
}

func TestCorrelationIDOfTheRequestServesWhenTheAnswerHasNone(t *testing.T) {
	t.Parallel()
	server := newConcur(t, answers(500, "", correlationHeader, "not an id"))
	err := callTopics(t.Context(), server.client(t))
	if got, sent := CorrelationID(err), server.seenCalls()[0].Header.Get(correlationHeader); got != sent || got == "" {
		t.Errorf("got %q, want what was sent, %q", got, sent)
	}
}
