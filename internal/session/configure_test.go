package session

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ess-operator/ess-operator/internal/ess"
)

var errSetup = errors.New("no certificate in the bundle")

func TestConfigure(t *testing.T) {
	t.Parallel()
	type state struct {
		Phase Phase
		Held  []string // ids known
		Built int      // clients built by the change
		Due   bool     // a refresh is due at once
	}
	held := []string{"a"}
	cases := map[string]struct {
		reason string
		change func(*Session, Config)
		want   state
	}{
		"Same": {"reconciles come often and must change nothing",
			func(s *Session, cfg Config) { _ = s.Configure(cfg) }, state{Phase: Ready, Held: held}},
		"Rotated": {"another secret of the same application keeps what is known, and is tried at once",
			func(s *Session, cfg Config) { cfg.Fingerprint = "rotated"; _ = s.Configure(cfg) }, state{Ready, held, 1, true}},
		"OtherApplication": {"what the former application had is not the new one's",
			func(s *Session, cfg Config) { cfg.Fingerprint, cfg.Identity = "b", appB; _ = s.Configure(cfg) }, state{Unknown, []string{}, 1, true}},
		"Failed": {"trouble with a Secret forgets nothing, so that deletions can be finished",
			func(s *Session, _ Config) { s.Fail(errSetup) }, state{Phase: Failed, Held: held}},
		"Mended": {"the same Secret again may hold something else by now",
			func(s *Session, cfg Config) { s.Fail(errSetup); _ = s.Configure(cfg) }, state{Failed, held, 1, true}},
		"Suspended": {"a suspension forgets nothing",
			func(s *Session, _ Config) { s.Suspend() }, state{Phase: Suspended, Held: held}},
		"Resumed": {"what happened meanwhile is not known",
			func(s *Session, cfg Config) { s.Suspend(); _ = s.Configure(cfg) }, state{Phase: Unknown, Held: held}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConcur(t)
			s := c.ready(t, 5)
			put(t, s, "a")
			cfg, built := c.config(appA, 5), 0
			build := cfg.Client
			cfg.Client = func() (*ess.Client, error) { built++; return build() }
			tc.change(s, cfg)
			now := s.Snapshot()
			got := state{now.Phase, now.Inventory.IDs(), built, s.Schedule().Suspect}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestConfigureWithWhatCannotBeUsed(t *testing.T) {
	t.Parallel()
	c := newConcur(t)
	s := c.ready(t, 5)
	bad := c.config(appA, 5)
	bad.Fingerprint, bad.Client = "bad", func() (*ess.Client, error) { return nil, errSetup }
	for range 2 { // the second time, too: nothing was configured
		if err := s.Configure(bad); !errors.Is(err, errSetup) {
			t.Errorf("got %v, want %v", err, errSetup)
		}
	}
	if now := s.Snapshot(); now.Phase != Failed || !errors.Is(now.Cause, errSetup) {
		t.Errorf("phase %v because of %v", now.Phase, now.Cause)
	}
	s.RetryAt(time.Now().Add(time.Hour))
	configure(t, s, c.config(appA, 5)) // the spec is put back to what it was
	if !s.Schedule().Suspect {
		t.Error("the connection goes on to fail for a reason that is gone")
	}
	refresh(t, s)
	if now := s.Snapshot(); now.Phase != Ready || now.Cause != nil {
		t.Errorf("phase %v because of %v", now.Phase, now.Cause)
	}
}

func TestNoCalls(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		make   func(*testing.T, *concur) *Session
		want   error
	}{
		"Suspended": {"suspended means no calls, whoever asks",
			func(t *testing.T, c *concur) *Session { s := c.ready(t, 5); s.Suspend(); return s }, ErrSuspended},
		"SuspendedWhileFailed": {"trouble later on does not end a suspension that is still configured",
			func(t *testing.T, c *concur) *Session { s := c.ready(t, 5); s.Fail(errSetup); s.Suspend(); return s }, ErrSuspended},
		"NeverConfigured": {"there is nothing to call with",
			func(*testing.T, *concur) *Session { return newSession(time.Now) }, ErrNotConfigured},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConcur(t)
			s := tc.make(t, c)
			before := s.Snapshot().Phase
			_, readErr := s.Read(t.Context(), "a")
			_, putErr := s.Put(t.Context(), wanted("a"))
			_, deleteErr := s.Delete(t.Context(), "a")
			for call, err := range map[string]error{"Read": readErr, "Put": putErr, "Delete": deleteErr, "Refresh": s.Refresh(t.Context())} {
				if !errors.Is(err, tc.want) {
					t.Errorf("%s returned %v, want %v", call, err, tc.want)
				}
			}
			if calls := c.Requests(); len(calls) > 0 {
				t.Errorf("%s, but Concur got %v", tc.reason, calls)
			}
			if now := s.Snapshot().Phase; before == Suspended && now != Suspended {
				t.Errorf("a refused call ended the suspension: phase %v", now)
			}
		})
	}
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	r := NewRegistry(time.Now)
	name := types.NamespacedName{Namespace: "finance", Name: "acme"}
	if _, ok := r.Session(name); ok {
		t.Error("a session that nobody opened is there")
	}
	s := r.Open(name)
	if again, ok := r.Session(name); !ok || again != s || r.Open(name) != s || len(r.All()) != 1 {
		t.Error("a connection has more than one session")
	}
	r.Close(name)
	if _, ok := r.Session(name); ok || len(r.All()) != 0 {
		t.Error("a closed session is still there")
	}
	if r.Open(name) == s {
		t.Error("a connection made anew got the session of the former one")
	}
}
