package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/ess-operator/ess-operator/internal/ess"
)

// Errors of calls that were not made.
var (
	// ErrSuspended: the connection is suspended.
	ErrSuspended = errors.New("the connection is suspended")
	// ErrNotConfigured: the connection was never complete in this process, so that there is nothing to call with.
	ErrNotConfigured = errors.New("the connection has no usable credentials")
)

// Config is what a session calls with.
type Config struct {
	// Identity names application and data center. When it changes, what was
	// known of the former one is forgotten.
	Identity string
	// ClientID stands for the application until a token names it.
	ClientID string
	// Fingerprint changes with everything that Client is built from.
	Fingerprint string
	// Client builds the client; it is called only when Fingerprint changed.
	Client func() (*ess.Client, error)
	// Limit is how many subscriptions the application may have.
	Limit int
}

// Configure makes the session call with cfg from now on, and ends a
// suspension. When that is something new, a refresh is due at once.
func (s *Session) Configure(cfg Config) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limit != cfg.Limit {
		s.refusedAt = time.Time{} // who changes it may know that SAP raised it
	}
	s.limit, s.clientID = cfg.Limit, cfg.ClientID
	if s.phase == Suspended {
		s.phase = Unknown
	}
	if s.fingerprint == cfg.Fingerprint {
		return nil
	}
	client, err := cfg.Client()
	if err != nil {
		s.phase, s.cause = Failed, err
		s.fingerprint = "" // going back to the former settings is something new
		return err
	}
	if s.identity != cfg.Identity {
		s.forget()
	}
	s.client, s.fingerprint, s.identity = client, cfg.Fingerprint, cfg.Identity
	s.schedule, s.topicMissed = Schedule{Suspect: true}, true
	return nil
}

// Fail says that the connection cannot be used, for a reason outside Concur.
// The client stays, for deletions.
func (s *Session) Fail(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase, s.cause = Failed, cause
	s.fingerprint = "" // what it was built from is no longer what is configured
}

// Suspend stops all calls until Configure.
func (s *Session) Suspend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase, s.cause = Suspended, nil
}

// forget drops what was known of another application.
func (s *Session) forget() {
	s.inventory, s.topics, s.topicsFor, s.token = Inventory{}, nil, nil, ess.Token{}
	s.phase, s.cause = Unknown, nil
	s.creating, s.deleted = map[string]struct{}{}, newDeleted()
	s.refusedLimit, s.refusedAt = 0, time.Time{}
}

// use returns the client, or why there may be no call.
func (s *Session) use() (*ess.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.phase == Suspended:
		return nil, ErrSuspended
	case s.client == nil:
		return nil, ErrNotConfigured
	default:
		return s.client, nil
	}
}

// Place returns ErrQuota, without a call, when ESS holds no subscription of
// this id and there is no place left for one, given that the ids ahead come first.
func (s *Session) Place(id string, ahead []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.place(id, ahead)
}

// place counts the creations in flight too, so that many at once cannot exceed
// the limit. It counts ids, because one that is ahead may be in flight, or done.
func (s *Session) place(id string, ahead []string) error {
	if _, present := s.inventory.Subscription(id); present {
		return nil
	}
	taken := map[string]struct{}{}
	for _, held := range s.inventory.IDs() {
		taken[held] = struct{}{}
	}
	maps.Copy(taken, s.creating)
	delete(taken, id)
	used := len(taken)
	for _, older := range ahead {
		taken[older] = struct{}{}
	}
	switch limit := s.effectiveLimit(); {
	case used >= limit:
		return fmt.Errorf("the application has %d subscriptions of at most %d: %w", used, limit, ErrQuota)
	case len(taken) >= limit:
		return fmt.Errorf("the application has %d subscriptions of at most %d, and %d older objects come first: %w", used, limit, len(taken)-used, ErrQuota)
	default:
		return nil
	}
}

// effectiveLimit is the configured limit, or the lower one that ESS has shown
// by refusing. What ESS showed is believed for a day, because SAP may raise it,
// or until a person sets another limit.
func (s *Session) effectiveLimit() int {
	const believed = 24 * time.Hour
	if s.refusedAt.IsZero() || s.now().Sub(s.refusedAt) > believed {
		return s.limit
	}
	return min(s.limit, s.refusedLimit)
}

// learnLimit notes that ESS refused client one more subscription than there are
// now. The inventory may be old, so they are counted anew; where ESS does not let
// itself be asked, a later LIST that shows more corrects what is noted. One that
// went meanwhile was there when ESS refused: a limit noted too high costs one more
// refusal, one noted too low a day.
func (s *Session) learnLimit(ctx context.Context, client *ess.Client) {
	held := s.held()
	_ = s.list(ctx, s.nextReading()) // what it fails with is not what Put failed with
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == client { // otherwise it was another application's
		s.refusedLimit, s.refusedAt = max(held, len(s.inventory.IDs())), s.now()
	}
}

// held is how many subscriptions ESS is known to hold.
func (s *Session) held() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.inventory.IDs())
}

// reserve takes a place until release is called.
func (s *Session) reserve(id string) (release func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.place(id, nil); err != nil {
		return nil, err
	}
	s.creating[id] = struct{}{}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.creating, id)
	}, nil
}

// nextReading numbers a reading before it is asked for.
func (s *Session) nextReading() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readings++
	return s.readings
}

// removed notes that ESS no longer lists id.
func (s *Session) removed(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readings++
	s.inventory = s.inventory.with(id, entry{reading: s.readings})
}

// learn puts one reading into the inventory, unless another application took the client's place meanwhile.
func (s *Session) learn(client *ess.Client, id string, e entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == client {
		s.inventory = s.inventory.with(id, e)
	}
}
