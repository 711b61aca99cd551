package session

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// broken is a session of appA that failed for a reason at Concur.
func (c *concur) broken(t *testing.T) *Session {
	t.Helper()
	s := c.ready(t, 5)
	put(t, s, "a")
	id := c.InjectFault(essemulator.Fault{Operation: essemulator.OpList, Status: 503})
	if err := s.Refresh(t.Context()); !errors.Is(err, ess.ErrUnavailable) {
		t.Fatal(err)
	}
	c.ClearFault(id)
	c.ResetRequests()
	return s
}

func TestMayCall(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason  string
		session func(*testing.T, *concur) *Session
		want    error
	}{
		"Ready": {"all is well", func(t *testing.T, c *concur) *Session { return c.ready(t, 5) }, nil},
		"Unknown": {"nothing is known to be wrong, and a deletion need not wait for the first listing", func(t *testing.T, c *concur) *Session {
			s := newSession(time.Now)
			configure(t, s, c.config(appA, 5))
			return s
		}, nil},
		"NotConfigured": {"there is nothing to call with", func(*testing.T, *concur) *Session { return newSession(time.Now) }, ErrNotConfigured},
		"Suspended":     {"the user said so", func(t *testing.T, c *concur) *Session { s := c.ready(t, 5); s.Suspend(); return s }, ErrSuspended},
		"Broken":        {"everybody would meet the same failure", func(t *testing.T, c *concur) *Session { return c.broken(t) }, ErrNotReady},
		"BrokenSaysWhy": {"callers give up sooner for some kinds", func(t *testing.T, c *concur) *Session { return c.broken(t) }, ess.ErrUnavailable},
		"SecretGone": {"deletions go on with the credentials of before", func(t *testing.T, c *concur) *Session {
			s := c.ready(t, 5)
			s.Fail(errSetup)
			return s
		}, nil},
		"Mended": {"the probe succeeded", func(t *testing.T, c *concur) *Session { s := c.broken(t); refresh(t, s); return s }, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := tc.session(t, newConcur(t)).MayCall(); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v: %s", err, tc.want, tc.reason)
			}
		})
	}
}

func TestBrokenSessionMakesNoCallButTheProbe(t *testing.T) {
	t.Parallel()
	c := newConcur(t)
	s := c.broken(t)
	_, readErr := s.Read(t.Context(), "a")
	_, putErr := s.Put(t.Context(), wanted("b"))
	_, deleteErr := s.Delete(t.Context(), "a")
	for _, err := range []error{readErr, putErr, deleteErr} {
		if !errors.Is(err, ErrNotReady) {
			t.Errorf("got %v", err)
		}
	}
	if calls := c.Requests(); len(calls) > 0 {
		t.Errorf("calls %v", calls)
	}
	refresh(t, s)
	if _, err := s.Delete(t.Context(), "a"); err != nil {
		t.Errorf("after the probe: %v", err)
	}
	if got := c.calls(essemulator.OpDelete); got != 1 {
		t.Errorf("%d deletions sent", got)
	}
}

// heldSession is a session of appA whose calls pass a governor.
func heldSession(t *testing.T, c *concur) (*Session, *Governor) {
	t.Helper()
	r := NewRegistry(time.Now)
	g := r.Govern(connA, Application{BaseURL: baseURL, ClientID: appA}, Limit{PerSecond: 100, Burst: 100})
	cfg := c.config(appA, 5)
	cfg.Client = func() (*ess.Client, error) {
		return ess.New(ess.Config{BaseURL: baseURL, ClientID: appA, ClientSecret: secret, Transport: g.Transport(c)})
	}
	s := r.Open(connA)
	configure(t, s, cfg)
	return s, g
}

func TestHeldRefreshIsPostponed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConcur(t)
		s, _ := heldSession(t, c)
		refresh(t, s)
		id := c.InjectFault(essemulator.Fault{Operation: essemulator.OpPut, Status: 429, RetryAfter: "90"})
		if _, err := s.Put(t.Context(), wanted("a")); !errors.Is(err, ess.ErrRateLimited) || errors.Is(err, ErrHeld) {
			t.Errorf("the answer itself is told as %v", err)
		}
		c.ClearFault(id)
		c.ResetRequests()
		refresh(t, s) // an object waits for nothing here: the connection works
		checkPhase(t, s, Ready, nil)
		want := Schedule{RefreshedAt: time.Now(), Suspect: true, PostponedTo: time.Now().Add(90 * time.Second)}
		if diff := cmp.Diff(want, s.Schedule()); diff != "" {
			t.Errorf("schedule (-want +got):\n%s", diff)
		}
		if _, err := s.Put(t.Context(), wanted("a")); !errors.Is(err, ErrHeld) {
			t.Errorf("a PUT during the hold: %v", err)
		}
		if calls := c.Requests(); len(calls) > 0 {
			t.Errorf("calls during the hold: %v", calls)
		}
		<-time.After(90 * time.Second)
		refresh(t, s)
		put(t, s, "a")
		if s.Schedule().Suspect || c.calls(essemulator.OpList) != 1 {
			t.Errorf("after the hold: %+v, %d LISTs", s.Schedule(), c.calls(essemulator.OpList))
		}
	})
}

func TestHeldRefreshOfABrokenSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConcur(t)
		s, g := heldSession(t, c)
		refresh(t, s)
		c.InjectFault(essemulator.Fault{Operation: essemulator.OpList, Status: 500})
		if err := s.Refresh(t.Context()); !errors.Is(err, ess.ErrUnavailable) {
			t.Fatal(err)
		}
		g.hold(time.Minute)
		if err := s.Refresh(t.Context()); !errors.Is(err, ess.ErrUnavailable) || errors.Is(err, ErrHeld) {
			t.Errorf("what is wrong is still what was found, not %v", err)
		}
		if got := s.Schedule(); got.Suspect || got.Failures != 1 {
			t.Errorf("a probe that was not made changed the back-off: %+v", got)
		}
		s.RetryAt(time.Now().Add(time.Hour))
		if left := time.Until(s.Schedule().RetryAt); left != time.Minute {
			t.Errorf("a probe that was not made is made in %v, want when the hold is over", left)
		}
		<-time.After(time.Minute)
		s.RetryAt(time.Now().Add(time.Hour))
		if left := time.Until(s.Schedule().RetryAt); left != time.Hour {
			t.Errorf("a hold that is over sets the time to %v", left)
		}
	})
}

// TestHeldFirstRefresh is that of a connection made while another one of its application is told to wait:
// nothing was ever listed, so that nobody may call it ready.
func TestHeldFirstRefresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConcur(t)
		s, g := heldSession(t, c)
		g.hold(time.Minute)
		err := s.Refresh(t.Context())
		if !errors.Is(err, ErrHeld) || ess.RetryAfter(err) != time.Minute {
			t.Errorf("got %v, to be tried after %v", err, ess.RetryAfter(err))
		}
		checkPhase(t, s, Failed, ess.ErrRateLimited)
		<-time.After(time.Minute)
		refresh(t, s)
		checkPhase(t, s, Ready, nil)
	})
}

func TestWordsOfUrgency(t *testing.T) {
	t.Parallel()
	var words []string
	for u := Delete; u <= Resync; u++ {
		words = append(words, u.String())
	}
	if !slices.Equal(words, []string{"delete", "change", "resync"}) {
		t.Errorf("metrics name urgencies %v", words)
	}
	if Resync.grace() >= ess.DefaultTimeout-answerTime {
		t.Error("a resync gives up before its turn has come")
	}
}
