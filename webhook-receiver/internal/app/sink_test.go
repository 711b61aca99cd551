package app_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
)

// sink takes CloudEvents, and remembers them.
type sink struct {
	server *httptest.Server
	down   atomic.Bool // answers 503
	tries  atomic.Int64

	mu   sync.Mutex
	seen map[string][]arrival // by id
}

// arrival is one event that the sink took.
type arrival struct {
	header http.Header
	body   string
}

func newSink(t *testing.T) *sink {
	t.Helper()
	s := &sink{seen: map[string][]arrival{}}
	s.server = httptest.NewServer(http.HandlerFunc(s.take))
	t.Cleanup(s.server.Close)
	return s
}

func (s *sink) take(w http.ResponseWriter, r *http.Request) {
	s.tries.Add(1)
	body, err := io.ReadAll(r.Body)
	if err != nil || s.down.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.Header.Get("Ce-Id")
	s.seen[id] = append(s.seen[id], arrival{header: r.Header.Clone(), body: string(body)})
	w.WriteHeader(http.StatusAccepted)
}

// arrivals returns how often an event arrived.
func (s *sink) arrivals(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seen[id])
}

// first returns the first arrival of an event.
func (s *sink) first(id string) arrival {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seen[id]) == 0 {
		return arrival{}
	}
	return s.seen[id][0]
}
