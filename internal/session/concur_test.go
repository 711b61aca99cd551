package session

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

const (
	appA, appB = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
	secret     = "4f6b7c1e-0d3a-4a55-9a0e-c2f1f2b7a9d8"
	baseURL    = "https://us2.api.example.com"
	reports    = "public.concur.expense.report"
)

// concur is the emulator without a network between, so that a test in a bubble of synctest can
// tell when everybody waits.
type concur struct {
	*essemulator.Emulator

	mu    sync.Mutex
	gates map[string]chan struct{} // by operation: its answers are held until the channel is closed
}

func newConcur(t *testing.T) *concur {
	t.Helper()
	assume := essemulator.DefaultAssumptions()
	assume.SubscriptionLimit = 1000 // who stays within a limit must be the session
	assume.DeleteDelay = 7 * time.Minute
	emulator, err := essemulator.New(essemulator.WithAssumptions(assume))
	if err != nil {
		t.Fatal(err)
	}
	emulator.SetBaseURL(baseURL)
	c := &concur{Emulator: emulator, gates: map[string]chan struct{}{}}
	for _, id := range []string{appA, appB} {
		c.grant(id, "events.topic.read", "expense.report.read")
	}
	return c
}

// grant makes scopes those of the application.
func (c *concur) grant(id string, scopes ...string) {
	c.PutApplication(essemulator.Application{ID: id, Secrets: []string{secret}, Scopes: scopes})
}

// RoundTrip implements http.RoundTripper. What is asked is done at once, also when its answer is held.
func (c *concur) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, received := httptest.NewRecorder(), r.Clone(r.Context())
	if r.Body == nil {
		received.Body = http.NoBody // a server never sees nil
	}
	c.Handler().ServeHTTP(answer, received)
	c.mu.Lock()
	gate := c.gates[operation(r)]
	c.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	return answer.Result(), nil
}

func operation(r *http.Request) string {
	switch {
	case r.Method == http.MethodPost:
		return essemulator.OpToken
	case r.Method != http.MethodGet:
		return strings.ToLower(r.Method)
	case strings.HasSuffix(r.URL.Path, "/topics"):
		return essemulator.OpTopics
	case strings.HasSuffix(r.URL.Path, "/subscriptions"):
		return essemulator.OpList
	}
	return essemulator.OpGet
}

// hold keeps back the answers to an operation until release is called.
func (c *concur) hold(operation string) (release func()) {
	gate := make(chan struct{})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gates[operation] = gate
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.gates, operation)
		close(gate)
	}
}

// calls are the calls of an operation so far, refused ones included.
func (c *concur) calls(operation string) int {
	n := 0
	for _, r := range c.Requests() {
		if r.Operation == operation {
			n++
		}
	}
	return n
}

// config is that of an application with room for limit subscriptions.
func (c *concur) config(app string, limit int) Config {
	return Config{
		Identity: app, ClientID: app, Fingerprint: app, Limit: limit,
		Client: func() (*ess.Client, error) {
			return ess.New(ess.Config{
				BaseURL: baseURL, ClientID: app, ClientSecret: secret, Transport: c,
			})
		},
	}
}

// ready is a session of appA that was refreshed.
func (c *concur) ready(t *testing.T, limit int) *Session {
	t.Helper()
	s := newSession(time.Now)
	configure(t, s, c.config(appA, limit))
	refresh(t, s)
	c.ResetRequests()
	return s
}

func configure(t *testing.T, s *Session, cfg Config) {
	t.Helper()
	if err := s.Configure(cfg); err != nil {
		t.Fatal(err)
	}
}

func refresh(t *testing.T, s *Session) {
	t.Helper()
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, s *Session, id string) {
	t.Helper()
	if _, err := s.Put(t.Context(), wanted(id)); err != nil {
		t.Fatal(err)
	}
}

func wanted(id string) ess.Subscription {
	return ess.Subscription{ID: id, Topic: reports, Filter: ".*", Endpoint: "https://events.example.net"}
}
