package receiver_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
)

// sink is a user's service: it keeps what it takes, and can be made to fail.
type sink struct {
	*httptest.Server
	requests atomic.Int64
	// refuse decides on the n-th request, counted from 1: a status other than 0 is answered instead of taking the event.
	refuse atomic.Pointer[func(n int64) int]

	mu   sync.Mutex
	got  map[string][]arrival // by CloudEvents source and id
	seen int
}

// arrival is one event that the sink took.
type arrival struct {
	header http.Header
	body   []byte
}

func newSink(t *testing.T) *sink {
	t.Helper()
	s := &sink{got: map[string][]arrival{}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.take))
	t.Cleanup(s.Close)
	return s
}

func (s *sink) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the receiver has gone
	}
	if refuse := s.refuse.Load(); refuse != nil {
		if status := (*refuse)(s.requests.Add(1)); status != 0 {
			w.WriteHeader(status)
			return
		}
	}
	s.mu.Lock()
	key := identity(r.Header.Get("Ce-Source"), r.Header.Get("Ce-Id"))
	s.got[key] = append(s.got[key], arrival{header: r.Header.Clone(), body: body})
	s.seen++
	s.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
}

// fails makes the sink answer as decide says; nil: it takes everything.
func (s *sink) fails(decide func(n int64) int) {
	if decide == nil {
		s.refuse.Store(nil)
		return
	}
	s.refuse.Store(&decide)
}

// total is how many events the sink took, repetitions included.
func (s *sink) total() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

// missing returns an error for the first event of want that did not arrive just as it was sent.
func (s *sink) missing(want map[string][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	absent := 0
	var first error
	for key, body := range want {
		got := s.got[key]
		if len(got) == 0 {
			absent++
			first = fmt.Errorf("%s never arrived", key)
		}
		for _, a := range got {
			if !bytes.Equal(a.body, body) {
				return fmt.Errorf("%s arrived as %q, sent was %q", key, a.body, body)
			}
		}
	}
	if absent > 0 {
		return fmt.Errorf("%d of %d events are missing, one: %w", absent, len(want), first)
	}
	return nil
}

// identity is what tells CloudEvents apart.
func identity(source, id string) string { return source + " " + id }
