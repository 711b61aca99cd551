package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ess-operator/ess-operator/internal/ess"
)

// Phase says whether a session can be used.
type Phase int

const (
	// Unknown: this process has not listed ESS yet. Nothing is known to be wrong.
	Unknown Phase = iota
	// Ready: a token was obtained and the last LIST succeeded.
	Ready
	// Failed: the last attempt failed, or the connection cannot be set up.
	Failed
	// Suspended: no call may be made.
	Suspended
)

// ErrQuota is returned by Put, without a call, when one more subscription
// would exceed the limit of the application.
var ErrQuota = errors.New("no place left for another subscription")

// ErrReadBack is returned by Put when ESS accepted the subscription and could
// not be asked what it holds now.
var ErrReadBack = errors.New("ESS accepted the subscription, which could not be read back")

// Session is one application in one data center. Its methods may be called
// from many goroutines at once.
type Session struct {
	now     func() time.Time
	listing chan struct{} // holds one token: at most one LIST at a time

	mu           sync.Mutex
	client       *ess.Client
	fingerprint  string // of what client was built from
	identity     string // application and data center; another one means another inventory
	clientID     string
	token        ess.Token
	phase        Phase
	cause        error
	limit        int
	refusedLimit int // what ESS showed the limit to be, at refusedAt
	refusedAt    time.Time
	inventory    Inventory
	topics       []string
	topicsFor    []string // the scopes that topics was read with
	topicMissed  bool     // somebody wanted a topic that is not in topics
	readings     uint64
	schedule     Schedule
	requested    *string              // the last request for a refresh that was seen
	creating     map[string]struct{}  // ids with a first PUT in flight
	deleted      map[string]time.Time // ids with an accepted DELETE that ESS may still list
}

// Snapshot is the state of a session at one moment.
type Snapshot struct {
	Phase Phase
	// Cause is why the phase is Failed.
	Cause error
	// Inventory is empty until the first LIST.
	Inventory Inventory
	// Topics are those that the application may use, as last read.
	Topics []string
	// ApplicationID is the application that is acted for: the subject of the
	// token, or the client id where the token is opaque. Empty before the first
	// token: credentials that nobody accepted yet stand for no application.
	ApplicationID string
	// Limit is how many subscriptions the application may have, as configured or as ESS showed.
	Limit int
	// Token is the public part of the token of the last refresh.
	Token ess.Token
}

// Snapshot returns the state of now.
func (s *Session) Snapshot() Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Snapshot{
		Phase: s.phase, Cause: s.cause, Inventory: s.inventory, Topics: s.topics,
		ApplicationID: s.applicationID(), Token: s.token, Limit: s.effectiveLimit(),
	}
}

func (s *Session) applicationID() string {
	if s.token.IssuedAt.IsZero() {
		return ""
	}
	return cmp.Or(s.token.ApplicationID, s.clientID)
}

// AllowsTopic reports whether the application may use a topic. A no is
// remembered, so that the next refresh asks ESS for the topics again.
func (s *Session) AllowsTopic(topic string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.topics, topic) {
		return true
	}
	s.topicMissed = true
	return false
}

// Refresh lists ESS, and reads the topics when they may have changed. It moves
// the session to Ready or to Failed, and returns the failure. Without a turn
// for its calls it is postponed: a session that was ready stays so.
func (s *Session) Refresh(ctx context.Context) error {
	err := s.list(ctx, s.nextReading())
	if err == nil {
		err = s.readTopics(ctx)
	}
	return s.refreshed(err)
}

// Read reads one subscription from ESS. The error is ess.ErrNotFound when ESS has none of that id.
func (s *Session) Read(ctx context.Context, id string) (ess.Subscription, error) {
	client, err := s.lend()
	if err != nil {
		return ess.Subscription{}, err
	}
	reading := s.nextReading()
	got, err := client.Subscription(ctx, id)
	if err == nil || errors.Is(err, ess.ErrNotFound) {
		s.learn(client, id, entry{subscription: got, present: err == nil, reading: reading})
	}
	return got, err
}

// Put creates or replaces a subscription and reads it back. It is idempotent.
// A first PUT that would exceed the limit fails with ErrQuota and makes no call.
func (s *Session) Put(ctx context.Context, want ess.Subscription) (ess.Subscription, error) {
	client, err := s.lend()
	if err != nil {
		return ess.Subscription{}, err
	}
	release, err := s.reserve(want.ID)
	if err != nil {
		return ess.Subscription{}, err
	}
	defer release()
	if err := client.Put(ctx, want); err != nil {
		if errors.Is(err, ess.ErrQuota) {
			s.learnLimit(ctx, client)
		}
		return ess.Subscription{}, err
	}
	got, err := s.Read(ctx, want.ID)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrReadBack, err)
	}
	return got, err
}

// redeleteAfter is how long an accepted DELETE is believed before it is sent again.
const redeleteAfter = 5 * time.Minute

// Delete makes ESS delete a subscription and reports whether ESS still lists
// it: ESS only marks for deletion and removes later. Call it again until it
// reports false; the DELETE is not repeated meanwhile. Absent is success.
func (s *Session) Delete(ctx context.Context, id string) (listed bool, err error) {
	client, err := s.lend()
	if err != nil {
		return true, err
	}
	s.mu.Lock()
	sent, pending := s.deleted[id]
	s.mu.Unlock()
	if !pending || s.now().Sub(sent) > redeleteAfter {
		if err := client.Delete(ctx, id); err != nil {
			return true, err
		}
		if !s.noteDeleted(client, id) {
			return true, nil
		}
	}
	if err := s.list(ctx, s.nextReading()); err != nil {
		return true, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != client {
		return true, nil // the inventory may be another application's by now: look again
	}
	_, listed = s.inventory.Subscription(id)
	if !listed {
		delete(s.deleted, id)
	}
	return listed, nil
}

// noteDeleted notes that ESS took a DELETE, unless another application took the
// client's place meanwhile.
func (s *Session) noteDeleted(client *ess.Client, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != client {
		return false
	}
	s.deleted[id] = s.now()
	return true
}

// list replaces the inventory by a LIST asked for after the reading since.
// Callers that wait at the same time share one LIST.
func (s *Session) list(ctx context.Context, since uint64) error {
	client, err := s.use()
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return waited(ctx.Err())
	case <-s.listing:
		defer func() { s.listing <- struct{}{} }()
	}
	s.mu.Lock()
	shared := s.inventory.reading > since
	s.mu.Unlock()
	if shared {
		return nil
	}
	reading := s.nextReading()
	list, err := client.Subscriptions(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == client { // otherwise the answer is another application's
		s.inventory = s.inventory.merged(list, reading, s.now())
		s.refusedLimit = max(s.refusedLimit, len(s.inventory.IDs()))
	}
	return nil
}

// waited is the failure of a caller that stopped waiting for another one's LIST.
func waited(cause error) error {
	kind := ess.ErrTimeout
	if errors.Is(cause, context.Canceled) {
		kind = context.Canceled
	}
	return &ess.Error{Kind: kind, Op: "waiting for a listing of subscriptions that is under way", Cause: cause}
}

// readTopics asks for the topics when they were never read, when the token has
// other scopes than then, or when a topic was missed.
func (s *Session) readTopics(ctx context.Context) error {
	client, err := s.use()
	if err != nil {
		return err
	}
	token, err := client.Token(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.token = token
	fresh := s.topics != nil && !s.topicMissed && slices.Equal(s.topicsFor, token.Scopes)
	s.mu.Unlock()
	if fresh {
		return nil
	}
	topics, err := client.Topics(ctx)
	if err != nil {
		return err
	}
	slices.Sort(topics)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.topics = append([]string{}, slices.Compact(topics)...)
	s.topicsFor, s.topicMissed = token.Scopes, false
	return nil
}
