package session

import (
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Registry holds the session of each ConcurConnection. Its methods may be
// called from many goroutines at once.
type Registry struct {
	now    func() time.Time
	waited func(Urgency, time.Duration)

	mu           sync.Mutex
	sessions     map[types.NamespacedName]*Session
	applications map[types.NamespacedName]Application // that connections act as
	shares       map[Application]*share
}

// NewRegistry returns an empty registry that reads time from now.
func NewRegistry(now func() time.Time, options ...Option) *Registry {
	r := &Registry{
		now: now, waited: func(Urgency, time.Duration) {},
		sessions:     map[types.NamespacedName]*Session{},
		applications: map[types.NamespacedName]Application{},
		shares:       map[Application]*share{},
	}
	for _, option := range options {
		option(r)
	}
	return r
}

// Option changes a registry that is being made.
type Option func(*Registry)

// ObserveWaits calls observe for each call that had its turn, with the time
// that it waited for the budget; by many goroutines at once. Without it nobody is told.
func ObserveWaits(observe func(Urgency, time.Duration)) Option {
	return func(r *Registry) { r.waited = observe }
}

// Session returns the session of a connection, and whether there is one.
func (r *Registry) Session(connection types.NamespacedName) (*Session, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.sessions[connection]
	return s, ok
}

// Open returns the session of a connection, making an unconfigured one when there is none.
func (r *Registry) Open(connection types.NamespacedName) *Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.sessions[connection]
	if !ok {
		s = newSession(r.now)
		r.sessions[connection] = s
	}
	return s
}

// Close forgets the session of a connection that is gone.
func (r *Registry) Close(connection types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sessions, connection)
	r.ungovern(connection)
}

// Removed tells all sessions of the application that connection acts as that
// ESS no longer lists id. Each has an inventory of its own, and would otherwise
// believe in the subscription until its next LIST. It returns their connections,
// in no order: objects of each may wait for the place.
func (r *Registry) Removed(connection types.NamespacedName, id string) []types.NamespacedName {
	r.mu.Lock()
	siblings := map[types.NamespacedName]*Session{}
	for other, as := range r.applications {
		if as == r.applications[connection] && r.sessions[other] != nil {
			siblings[other] = r.sessions[other]
		}
	}
	r.mu.Unlock()
	for _, s := range siblings {
		s.removed(id)
	}
	return slices.Collect(maps.Keys(siblings))
}

func newSession(now func() time.Time) *Session {
	s := &Session{
		now:      now,
		listing:  make(chan struct{}, 1),
		creating: map[string]struct{}{},
		deleted:  newDeleted(),
	}
	s.listing <- struct{}{}
	return s
}

func newDeleted() map[string]time.Time { return map[string]time.Time{} }

// All are the sessions of now.
func (r *Registry) All() map[types.NamespacedName]*Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.sessions)
}
