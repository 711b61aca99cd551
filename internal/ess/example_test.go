package ess_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/ess-operator/ess-operator/internal/ess"
)

// concur stands for Concur: it grants a token, knows one topic and no subscription.
func concur() *httptest.Server {
	mux := http.NewServeMux()
	say := func(pattern, body string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
	}
	say("POST /oauth2/v0/token", `{"access_token":"an-opaque-token","expires_in":"3600"}`)
	say("GET /events/v4/topics", `["public.concur.expense.report"]`)
	say("GET /events/v4/subscriptions/{id}", `[]`)
	say("PUT /events/v4/subscriptions/webhook", `{"message":"Subscription 'acme.reports' saved successfully"}`)
	return httptest.NewServer(mux)
}

func Example() {
	server := concur()
	defer server.Close()
	client, err := ess.New(ess.Config{
		BaseURL:      server.URL, // such as https://us2.api.concursolutions.com
		ClientID:     "dabd27f0-23e7-415d-b5e5-19a7dbe4fb4d",
		ClientSecret: "from a Secret",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	topics, err := client.Topics(ctx)
	fmt.Println(topics, err)

	want := ess.Subscription{ID: "acme.reports", Topic: topics[0], Filter: ".*", Endpoint: "https://events.example.com/acme"}
	if _, err = client.Subscription(ctx, want.ID); errors.Is(err, ess.ErrNotFound) {
		fmt.Println(err)
		err = client.Put(ctx, want)
	}
	fmt.Println(err)
	// Output:
	// [public.concur.expense.report] <nil>
	// reading subscription acme.reports: no such subscription (HTTP 200)
	// <nil>
}
