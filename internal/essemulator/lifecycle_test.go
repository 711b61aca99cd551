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
