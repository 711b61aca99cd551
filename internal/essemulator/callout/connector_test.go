package callout_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/essemulator/callout"
)

func TestConnectorsThatCannotBeRegistered(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		spoil  func(*callout.Connector)
	}{
		"no name":        {"it is told by its name", func(c *callout.Connector) { c.Name = "" }},
		"no host":        {"there is nothing to call", func(c *callout.Connector) { c.Host = "" }},
		"no URL":         {"a host has a scheme", func(c *callout.Connector) { c.Host = "connector.example" }},
		"http":           {"Concur calls by TLS", func(c *callout.Connector) { c.Host = "http://connector.example" }},
		"host with path": {"the path has a field of its own", func(c *callout.Connector) { c.Host += "/a" }},
		"host with user": {"so have the credentials", func(c *callout.Connector) { c.Host = "https://a:b@connector.example" }},
		"host and query": {"a host has none", func(c *callout.Connector) { c.Host += "?a=b" }},
		"relative path":  {"it would join the host", func(c *callout.Connector) { c.Path = "notify" }},
		"bad path":       {"it is no URL", func(c *callout.Connector) { c.Path = "/%zz" }},
		"colon":          {"Basic ends the name there", func(c *callout.Connector) { c.UserName = "concur:callouts" }},
		"short name":     {"at least 10", func(c *callout.Connector) { c.UserName = "123456789" }},
		"long name":      {"at most 50", func(c *callout.Connector) { c.UserName = strings.Repeat("a", 51) }},
		"short password": {"at least 10", func(c *callout.Connector) { c.Password = "123456789" }},
		"long password":  {"at most 50", func(c *callout.Connector) { c.Password = strings.Repeat("ä", 51) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil, nil)
			c := b.connector("other")
			tc.spoil(&c)
			err := b.service.PutConnector(c)
			if !errors.Is(err, callout.ErrInvalid) {
				t.Errorf("got %v, want ErrInvalid: %s", err, tc.reason)
			}
			if err != nil && strings.Contains(err.Error(), password) {
				t.Errorf("the error repeats the password: %v", err)
			}
		})
	}
}

func TestConnectorsAtTheLimits(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	c := b.connector("limits")
	c.UserName, c.Password, c.Path, c.Host = "1234567890", strings.Repeat("ä", 50), "", b.srv.URL+"/"
	b.put(c)
	if got := b.service.Connectors()[0]; got.Path != callout.DefaultPath || got.Verified || got.LastTest != nil {
		t.Errorf("registered as %+v", got)
	}
	assume := callout.DefaultAssumptions()
	assume.CheckCredentials, assume.PlainHosts = false, true
	if err := b.service.SetAssumptions(assume); err != nil {
		t.Fatal(err)
	}
	c.UserName, c.Password, c.Host = "concur", "concur", "http://127.0.0.1:1" // the pair in the sample of Concur's page
	b.put(c)
}

func TestTestConnection(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		target   callout.TestTarget
		status   int
		path     string
		verified bool
	}{
		"answered":            {callout.TestSystem, 200, "/system/v1.0/testconnection", true},
		"configured endpoint": {callout.TestEndpoint, 200, "/concur/v1.0/notify", true},
		"204 is not 200":      {callout.TestSystem, 204, "/system/v1.0/testconnection", false},
		"refused":             {callout.TestSystem, 401, "/system/v1.0/testconnection", false},
		"redirected":          {callout.TestSystem, 302, "/system/v1.0/testconnection", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil, func(a *callout.Assumptions) { a.TestTarget = tc.target })
			b.srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b.ServeHTTP(w, r)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tc.status)
			})
			try, err := b.service.TestConnection(t.Context(), "reports")
			want := callout.Attempt{Time: b.clock.Now(), URL: b.srv.URL + tc.path, Status: tc.status}
			if diff := cmp.Diff(want, try); diff != "" || err != nil {
				t.Errorf("attempt, %v (-want +got):\n%s", err, diff)
			}
			if got := b.service.Connectors()[0]; got.Verified != tc.verified || !cmp.Equal(got.LastTest, &want) {
				t.Errorf("connector is %+v, want verified=%v", got, tc.verified)
			}
			if a := b.arrivals[0]; a.Method != http.MethodGet || a.Path != tc.path || !authenticates(a) {
				t.Errorf("the connector got %+v", a)
			}
		})
	}
}

// authenticates tells whether a call carries the bench's credentials.
func authenticates(a arrival) bool {
	user, pass, ok := (&http.Request{Header: a.Header}).BasicAuth()
	return ok && user == userName && pass == password
}

func TestPostsCarryCredentialsAndContentType(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	b.run()
	b.publish("")
	b.settle()
	got := b.got()[0]
	if !authenticates(got) || got.Path != "/concur/v1.0/notify" || got.Header.Get("Content-Type") != "application/xml" {
		t.Errorf("the connector got %+v", got)
	}
}

func TestOnlyVerifiedAndEnabledConnectorsGetCallouts(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	send := func() int {
		n, err := b.service.Publish(callout.Target{CompanyID: company}, report(""))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := send(); n != 0 {
		t.Errorf("before Test Connection: %d callouts", n)
	}
	b.run()
	if n := send(); n != 1 {
		t.Errorf("after Test Connection: %d callouts", n)
	}
	b.settle()
	c := b.connector("reports")
	c.Enabled = false
	b.put(c)
	if n := send(); n != 0 {
		t.Errorf("disabled: %d callouts", n)
	}
	c.Enabled = true
	b.put(c)
	if n := send(); n != 1 {
		t.Errorf("enabled again, with the login that was tested: %d callouts", n)
	}
	c.Password = "another long password"
	b.put(c)
	if n := send(); n != 0 {
		t.Errorf("with a password that was not tested: %d callouts", n)
	}
}

func TestQueueWaitsForAConnectorAndFollowsItsRotation(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	b.run()
	c := b.connector("reports")
	c.Enabled = false
	b.answer = func(w http.ResponseWriter, _ *http.Request) {
		if len(b.got()) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
	b.publish("")
	b.settle()
	b.put(c)
	b.step(24 * time.Hour)
	if got := b.outcomes(); len(b.got()) != 1 || got[0] != callout.Queued {
		t.Errorf("while disabled: %v after %d posts", got, len(b.got()))
	}
	c.Enabled, c.Password = true, "another long password"
	b.put(c)
	if _, err := b.service.TestConnection(t.Context(), "reports"); err != nil {
		t.Fatal(err)
	}
	b.settle()
	_, pass, _ := (&http.Request{Header: b.got()[1].Header}).BasicAuth()
	if got := b.outcomes(); got[0] != callout.Delivered || pass != "another long password" {
		t.Errorf("after rotation: %v with password %q", got, pass)
	}
}

func TestNamesThatDoNotExist(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	if _, err := b.service.TestConnection(t.Context(), "nobody"); !errors.Is(err, callout.ErrNoConnector) {
		t.Errorf("testing: %v", err)
	}
	if _, err := b.service.Publish(callout.Target{Connector: "nobody"}, report("")); !errors.Is(err, callout.ErrNoConnector) {
		t.Errorf("publishing: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.service.TestConnection(ctx, "reports"); !errors.Is(err, context.Canceled) {
		t.Errorf("testing without patience: %v", err)
	}
	if c := b.service.Connectors()[0]; c.LastTest != nil {
		t.Errorf("a test that was called off is kept: %+v", c.LastTest)
	}
}
