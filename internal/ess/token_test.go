package ess

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"
)

// mint makes credentials that live an hour from now; fail, when set, is what it returns instead.
type mint struct {
	clock *clocktesting.FakeClock

	mu     sync.Mutex
	made   int
	fail   error
	jitter float64
	block  chan struct{}
}

func (m *mint) fetch(ctx context.Context) (*credential, error) {
	m.mu.Lock()
	m.made++
	n, fail, block := m.made, m.fail, m.block
	m.mu.Unlock()
	if block != nil {
		select {
		case <-block:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if fail != nil {
		return nil, fail
	}
	now := m.clock.Now()
	return newCredential(Token{IssuedAt: now, ExpiresAt: now.Add(time.Hour)}, fmt.Sprint("token-", n), m.jitter), nil
}

func (m *mint) setFail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

func (m *mint) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.made
}

func newTokens(m *mint) *tokens {
	m.clock = clocktesting.NewFakeClock(time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC))
	return &tokens{fetch: m.fetch, now: m.clock.Now, timeout: time.Minute}
}

// mustGet returns a credential or ends the test.
func mustGet(t *testing.T, ts *tokens, refused *credential) *credential {
	t.Helper()
	cred, err := ts.get(t.Context(), refused)
	if err != nil {
		t.Fatalf("getting a token: %v", err)
	}
	return cred
}

func TestTokenIsRenewedAtItsShareOfLife(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		jitter float64
		at     time.Duration
	}{
		"Latest":   {"80 % of the life is the latest moment.", 0, 48 * time.Minute},
		"Earliest": {"Jitter moves it forward, never back.", 1, 42 * time.Minute},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &mint{jitter: tc.jitter}
			ts := newTokens(m)
			first := mustGet(t, ts, nil)
			m.clock.Step(tc.at - time.Second)
			if got := mustGet(t, ts, nil); got != first {
				t.Errorf("%s\nrenewed too early", tc.reason)
			}
			m.clock.Step(time.Second)
			if got := mustGet(t, ts, nil); got == first {
				t.Errorf("%s\nnot renewed", tc.reason)
			}
		})
	}
}

func TestConcurrentCallersShareOneTokenRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &mint{block: make(chan struct{})}
		ts := newTokens(m)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { mustGet(t, ts, nil) })
		}
		synctest.Wait()
		close(m.block)
		wg.Wait()
		if m.count() != 1 {
			t.Errorf("made %d requests, want 1", m.count())
		}
	})
}

func TestCancelledWaiterDoesNotHarmTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &mint{block: make(chan struct{})}
		ts := newTokens(m)
		first, cancel := context.WithCancel(t.Context())
		results := make(chan error, 1)
		go func() { _, err := ts.get(first, nil); results <- err }()
		synctest.Wait() // the first caller has started the request
		other := make(chan error, 1)
		go func() { _, err := ts.get(t.Context(), nil); other <- err }()
		synctest.Wait()
		cancel()
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Errorf("the first caller got %v, want context.Canceled", err)
		}
		close(m.block)
		if err := <-other; err != nil {
			t.Errorf("the other caller got %v, want a token", err)
		}
		if m.count() != 1 {
			t.Errorf("made %d requests, want 1", m.count())
		}
	})
}

func TestManyRefusalsOfOneTokenMakeOneRenewal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &mint{}
		ts := newTokens(m)
		old := mustGet(t, ts, nil)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { mustGet(t, ts, old) })
		}
		wg.Wait()
		if late := mustGet(t, ts, old); late == old || m.count() != 2 {
			t.Errorf("made %d requests, want 2, the second for all refusals", m.count())
		}
	})
}

func TestOldTokenServesWhileTheTokenServiceIsDown(t *testing.T) {
	t.Parallel()
	m := &mint{}
	ts := newTokens(m)
	old := mustGet(t, ts, nil)
	m.setFail(&Error{Kind: ErrUnavailable})
	m.clock.Step(48 * time.Minute) // renewal is due, twelve minutes are left
	for range 10 {
		if got := mustGet(t, ts, nil); got != old {
			t.Error("want the old token while it lives")
		}
	}
	if m.count() != 2 {
		t.Errorf("made %d requests, want one renewal tried, then a pause", m.count()-1)
	}
	m.clock.Step(6 * time.Minute)
	mustGet(t, ts, nil)
	if m.count() != 3 {
		t.Errorf("made %d renewals, want a second one after half of what was left", m.count()-1)
	}
	m.clock.Step(6 * time.Minute)
	if _, err := ts.get(t.Context(), nil); !errors.Is(err, ErrUnavailable) {
		t.Errorf("an expired token must not serve, got %v", err)
	}
}

func TestFailuresThatTheOldTokenMustNotHide(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason  string
		fail    error
		refused bool
	}{
		"Credentials": {"A wrong secret must show at once, not when the token ends.", &Error{Kind: ErrCredentials}, false},
		"Refused":     {"A token that ESS refused is of no use, however long it lives.", &Error{Kind: ErrUnavailable}, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &mint{}
			ts := newTokens(m)
			old := mustGet(t, ts, nil)
			m.setFail(tc.fail)
			m.clock.Step(48 * time.Minute)
			var refused *credential
			if tc.refused {
				refused = old
			}
			if _, err := ts.get(t.Context(), refused); !errors.Is(err, tc.fail) {
				t.Errorf("%s\ngot %v", tc.reason, err)
			}
		})
	}
}

func TestExpiredTokenIsReplacedAndTheCallRepeatedOnce(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		server := newConcur(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "Bearer token-1" {
				w.WriteHeader(status)
				return
			}
			answers(200, `["public.test"]`)(w, r)
		})
		topics, err := server.client(t).Topics(t.Context())
		if diff := cmp.Diff([]string{"public.test"}, topics); err != nil || diff != "" {
			t.Errorf("HTTP %d: got error %v, topics (-want +got):\n%s", status, err, diff)
		}
		if g, c := len(server.seenGrants()), len(server.seenCalls()); g != 2 || c != 2 {
			t.Errorf("HTTP %d: made %d token requests and %d calls, want 2 and 2", status, g, c)
		}
	}
}

func TestRefusedFreshTokenIsReportedAfterOneRepeat(t *testing.T) {
	t.Parallel()
	server := newConcur(t, answers(403, ""))
	if err := callPut(t.Context(), server.client(t)); !errors.Is(err, ErrForbidden) {
		t.Errorf("got %v, want %v", err, ErrForbidden)
	}
	if g, c := len(server.seenGrants()), len(server.seenCalls()); g != 2 || c != 2 {
		t.Errorf("made %d token requests and %d calls, want 2 and 2", g, c)
	}
}

func TestFailureOfTheSecondTokenIsReported(t *testing.T) {
	t.Parallel()
	server := newConcur(t, answers(401, ""))
	server.grant = func(w http.ResponseWriter, r *http.Request) {
		if len(server.seenGrants()) > 1 {
			answers(400, `{"code":59,"error":"access_denied","error_description":"client disabled"}`)(w, r)
			return
		}
		answers(200, fmt.Sprintf(`{"access_token":"t","geolocation":%q}`, server.URL))(w, r)
	}
	err := callTopics(t.Context(), server.client(t))
	if !errors.Is(err, ErrCredentials) {
		t.Errorf("the reason why the token ended says more than the 401, got %v", err)
	}
}
