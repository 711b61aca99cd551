package ess

import (
	"errors"
	"net/http"
	"net/http/httptrace"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestHeldCalls holds what is observed of a transport that holds calls back: what it waits is not the
// service's time, and what it does not send is told apart from what was answered.
func TestHeldCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refuse := false
		transport := roundTrip(func(r *http.Request) (*http.Response, error) {
			if refuse {
				return nil, &Error{Kind: ErrRateLimited, Detail: "held", RetryAfter: time.Minute}
			}
			trace := httptrace.ContextClientTrace(r.Context())
			for range 2 { // a transport may try a second connection
				<-time.After(3 * time.Second)
				trace.GetConn(r.URL.Host)
			}
			return &http.Response{StatusCode: http.StatusServiceUnavailable, Body: http.NoBody}, nil
		})
		var calls []Call
		client, err := New(Config{
			BaseURL: "https://us2.api.example.com", ClientID: testID, ClientSecret: testSecret, Transport: transport,
			Observe: func(c Call) { calls = append(calls, c) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := callTopics(t.Context(), client); !errors.Is(err, ErrUnavailable) {
			t.Error(err)
		}
		refuse = true
		if err := callTopics(t.Context(), client); !errors.Is(err, ErrRateLimited) || RetryAfter(err) != time.Minute {
			t.Errorf("got %v, to be tried after %v", err, RetryAfter(err))
		}
		want := []Call{{Operation: "token", Code: "503", Duration: 3 * time.Second}, {Operation: "token", Code: "held"}}
		if diff := cmp.Diff(want, calls); diff != "" {
			t.Errorf("observed (-want +got):\n%s", diff)
		}
	})
}
