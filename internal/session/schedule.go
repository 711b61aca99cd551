package session

import (
	"time"

	"github.com/ess-operator/ess-operator/internal/ess"
)

// Schedule says when ESS should be listed again, and how it went so far.
type Schedule struct {
	// RefreshedAt is when the last refresh succeeded. The inventory may be newer,
	// since deletions list too; nobody is told of that, so a refresh is due all the same.
	RefreshedAt time.Time
	// Failures counts the failed refreshes in a row.
	Failures int
	// RetryAt is when to try again after a failure.
	RetryAt time.Time
	// Suspect is set when a refresh is due early: the configuration is new,
	// somebody met a failure that everybody would meet, or the last one was postponed.
	Suspect bool
	// PostponedTo is when a refresh that was not given a turn should be tried again.
	PostponedTo time.Time
}

// Schedule returns the schedule of now.
func (s *Session) Schedule() Schedule {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.schedule
}

// Suspect asks for a refresh soon, because somebody met a failure that
// everybody of this connection would meet.
func (s *Session) Suspect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.schedule.Suspect = s.phase == Ready || s.schedule.Suspect // a failed one has its own time to retry
}

// RetryAt notes when to refresh again after a failure. A refresh that was
// postponed was not tried: it is due as soon as it may be made.
func (s *Session) RetryAt(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.schedule.PostponedTo.After(s.now()) {
		at = s.schedule.PostponedTo
	}
	s.schedule.RetryAt = at
}

// Request reports whether value is a request for a refresh that was not seen
// before. The first value that a session sees is not: its first LIST is due anyway.
func (s *Session) Request(value string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.requested == nil || *s.requested == value {
		s.requested = &value
		return false
	}
	s.requested = &value
	s.topicMissed = true
	return true
}

// refreshed notes the outcome of a refresh, and returns why the session does not work.
func (s *Session) refreshed(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if notMade(err) && (s.phase == Ready || s.phase == Failed) {
		// What was known of the connection is still all that is known.
		s.schedule.Suspect = s.phase == Ready
		s.schedule.PostponedTo = s.now().Add(ess.RetryAfter(err))
		return s.cause
	}
	s.schedule.Suspect = false
	if s.phase == Suspended {
		return err
	}
	s.cause = err
	if err != nil {
		s.phase = Failed
		s.schedule.Failures++
		return err
	}
	s.phase = Ready
	s.schedule.Failures, s.schedule.RefreshedAt = 0, s.now()
	return nil
}
