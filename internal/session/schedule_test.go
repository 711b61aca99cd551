package session

import (
	"errors"
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

func TestRefreshCountsFailures(t *testing.T) {
	t.Parallel()
	c := newConcur(t)
	s := c.ready(t, 5)
	id := c.InjectFault(essemulator.Fault{Operation: essemulator.OpList, Status: 503})
	for want := 1; want <= 3; want++ {
		if err := s.Refresh(t.Context()); !errors.Is(err, ess.ErrUnavailable) {
			t.Errorf("returned %v", err)
		}
		checkPhase(t, s, Failed, ess.ErrUnavailable)
		if got := s.Schedule().Failures; got != want {
			t.Errorf("%d failures in a row, want %d", got, want)
		}
	}
	if now := s.Snapshot(); now.Inventory.ListedAt.IsZero() || len(now.Topics) == 0 {
		t.Error("trouble made the session forget what it knew")
	}
	c.ClearFault(id)
	refresh(t, s)
	checkPhase(t, s, Ready, nil)
	if got := s.Schedule().Failures; got != 0 {
		t.Errorf("%d failures in a row after a success", got)
	}
}

func checkPhase(t *testing.T, s *Session, phase Phase, cause error) {
	t.Helper()
	if now := s.Snapshot(); now.Phase != phase || !errors.Is(now.Cause, cause) {
		t.Errorf("phase %v because of %v, want %v because of %v", now.Phase, now.Cause, phase, cause)
	}
}

func TestSuspicion(t *testing.T) {
	t.Parallel()
	c := newConcur(t)
	s := c.ready(t, 5)
	s.Suspect()
	if !s.Schedule().Suspect {
		t.Error("a failure that everybody would meet asks for no refresh")
	}
	refresh(t, s)
	if s.Schedule().Suspect {
		t.Error("a suspicion outlives the refresh that settled it")
	}
	s.Fail(errors.New("no secret"))
	s.RetryAt(time.Now().Add(time.Hour))
	s.Suspect()
	if s.Schedule().Suspect {
		t.Error("many who meet a known failure would end its back-off")
	}
}

func TestSnapshotNamesTheApplication(t *testing.T) {
	t.Parallel()
	c := newConcur(t)
	s := newSession(time.Now)
	cfg := c.config(appA, 5)
	cfg.ClientID = "client"
	configure(t, s, cfg)
	if got := s.Snapshot().ApplicationID; got != "" {
		t.Errorf("before a token the application is %q: nobody accepted these credentials yet", got)
	}
	refresh(t, s)
	if got := s.Snapshot().ApplicationID; got != appA {
		t.Errorf("with a token the application is %q, want its subject", got)
	}
}
