package recovery

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// Outcome is how the fetching of a connector's failed notifications goes.
type Outcome struct {
	// RanAt is when a list was last gone through to its end; zero: not yet in this process.
	RanAt time.Time
	// Recovered counts what the receiver stored, since the connector was made.
	Recovered int64
	// FailedSeen is how many notifications were last listed.
	FailedSeen int64
	// Requested is the request for a reconcile that the last run acted upon.
	Requested string
	// Err is why the last run failed, or what it had to leave; nil after one that did all.
	Err error
}

// state is what is remembered of one connector between runs. Only the worker
// that has the connector's key reads and writes it, except for what the lock of
// states guards.
type state struct {
	generation int64
	requested  string // the annotation that was acted upon
	due        time.Time
	failures   int
	budget     *rate.Limiter
	done       map[mark]progress

	hurried bool    // guarded: somebody changed a Secret
	tried   bool    // guarded
	outcome Outcome // guarded
}

// states are those of all connectors.
type states struct {
	mu  sync.Mutex
	all map[types.NamespacedName]*state
}

// of returns the state of a connector, made from its status if it is new to this process.
func (s *states) of(key types.NamespacedName, conn *v1alpha1.ApplicationConnector) *state {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.all[key]
	if st == nil {
		st = &state{budget: rate.NewLimiter(perSecond, burst)}
		if conn.Status.Recovery != nil {
			st.outcome.Recovered, st.outcome.FailedSeen = conn.Status.Recovery.Recovered, conn.Status.Recovery.FailedSeen
		}
		s.all[key] = st
	}
	return st
}

func (s *states) forget(key types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, key)
}

// hurry makes a connector due whose last run needed a person.
func (s *states) hurry(key types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.all[key]; st != nil {
		st.hurried = true
	}
}

// takeHurry reports whether somebody asked to hurry, and takes note.
func (s *states) takeHurry(st *state) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	hurried := st.hurried
	st.hurried = false
	return hurried
}

// note keeps the outcome of a run.
func (s *states) note(st *state, o Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st.outcome, st.tried = o, true
}
