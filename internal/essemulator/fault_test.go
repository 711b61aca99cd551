package essemulator_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

func TestFaultsThatAnswer(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		fault  essemulator.Fault
		status int
		body   string
	}{
		"Status": {"no operation, no body", essemulator.Fault{Status: 503}, 503, ""},
		"Body":   {"as given", essemulator.Fault{Status: 400, Body: `{"x":1}`}, 400, `{"x":1}`},
		"Big":    {"valid JSON, so only its size is wrong", essemulator.Fault{BodySize: 8}, 200, "[      ]"},
		"Other operation": {
			"the fault is for another call", essemulator.Fault{Operation: essemulator.OpPut, Status: 500}, 200, "[]",
		},
		"Other application": {
			"the fault is for another caller", essemulator.Fault{ApplicationID: appB, Status: 500}, 200, "[]",
		},
		"Header only": {"the operation is done", essemulator.Fault{Header: http.Header{"x-a": {"b"}}}, 200, "[]"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil)
			b.call("GET", apiPath, "")
			b.emu.InjectFault(tc.fault)
			a := b.call("GET", apiPath, "")
			if a.Status != tc.status || a.Body != tc.body {
				t.Errorf("got %d %q, want %d %q: %s", a.Status, a.Body, tc.status, tc.body, tc.reason)
			}
		})
	}
}

func TestFaultsEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.call("GET", apiPath, "")
	b.emu.ResetRequests()
	b.emu.InjectFault(essemulator.Fault{Operation: essemulator.OpList, Times: 2, Status: 429, RetryAfter: "7"})
	b.emu.InjectFault(essemulator.Fault{Operation: essemulator.OpTopics, Status: 500})
	if got := b.call("GET", apiPath, "").Header.Get("Retry-After"); got != "7" {
		t.Errorf("Retry-After = %q, want 7", got)
	}
	b.call("GET", apiPath, "")
	b.call("GET", apiPath, "")
	b.call("GET", "/v4/topics", "")
	b.call("GET", "/v4/topics", "")
	b.emu.ClearFaults()
	b.call("GET", "/v4/topics", "")
	want := []string{
		"GET list 429", "GET list 429", "GET list 200", "GET topics 500", "GET topics 500", "GET topics 200",
	}
	if diff := cmp.Diff(want, b.golden()); diff != "" {
		t.Errorf("request log (-want +got):\n%s", diff)
	}
}

func TestAfterDoesTheOperationAndSpoilsTheAnswer(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.call("GET", apiPath, "")
	body := putJSON("acme.reports", reports, ".*", endpointURL)
	b.emu.InjectFault(essemulator.Fault{Operation: essemulator.OpPut, Times: 1, Reset: true})
	if _, err := b.send("PUT", apiPath+"/webhook", body, "Authorization", "Bearer "+b.token); err == nil {
		t.Error("a reset connection gave an answer")
	}
	if got := b.ids(); len(got) != 0 {
		t.Errorf("a call cut before it was done left %v", got)
	}
	b.emu.InjectFault(essemulator.Fault{Operation: essemulator.OpPut, Times: 1, Reset: true, After: true})
	if _, err := b.send("PUT", apiPath+"/webhook", body, "Authorization", "Bearer "+b.token); err == nil {
		t.Error("a reset connection gave an answer")
	}
	if diff := cmp.Diff([]string{"acme.reports"}, b.ids()); diff != "" {
		t.Errorf("a call cut after it was done (-want +got):\n%s", diff)
	}
	log := b.golden()
	if got := log[len(log)-1]; got != "PUT acme.reports -" {
		t.Errorf("the call is logged as %q", got)
	}
}

func TestHangingCallEndsWithTheCaller(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.emu.InjectFault(essemulator.Fault{Operation: essemulator.OpJWKS, Hang: true})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.srv.URL+"/oauth2/v0/jwks", nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		resp, err := b.srv.Client().Do(req)
		if err == nil {
			resp.Body.Close()
		}
		done <- err
	}()
	b.eventually(func() bool { return len(b.emu.Requests()) == 1 })
	cancel()
	if err := <-done; err == nil {
		t.Error("a hanging call was answered")
	}
}

func TestDelayFollowsTheClock(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.emu.InjectFault(essemulator.Fault{Delay: time.Minute})
	done := make(chan answer, 1)
	go func() { done <- b.mustSend("GET", "/oauth2/v0/jwks", "") }()
	b.eventually(b.clock.HasWaiters)
	b.clock.Step(time.Minute)
	if a := <-done; a.Status != 200 || !strings.Contains(a.Body, `"keys"`) {
		t.Errorf("after the delay: %d %s, want the usual answer", a.Status, a.Body)
	}
}

// eventually waits until something that other goroutines bring about is so.
func (b *bench) eventually(is func() bool) {
	b.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for !is() {
		select {
		case <-tick.C:
		case <-limit:
			b.t.Fatal("did not come about in a minute")
		}
	}
}
