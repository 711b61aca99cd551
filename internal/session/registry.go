package session

import (
	"maps"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Registry holds the session of each ConcurConnection. Its methods may be
// called from many goroutines at once.
type Registry struct {
	now func() time.Time

	mu       sync.Mutex
	sessions map[types.NamespacedName]*Session
}

// NewRegistry returns an empty registry that reads time from now.
func NewRegistry(now func() time.Time) *Registry {
	return &Registry{now: now, sessions: map[types.NamespacedName]*Session{}}
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
