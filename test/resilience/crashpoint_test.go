package resilience_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path"
	"strings"
	"sync"
	"syscall"
)

// crashPoint is where a child kills itself.
type crashPoint struct {
	// Write is the label of a write, such as "PUT reports" at ESS or
	// "PATCH eventsubscriptions/reports/status" at the API server.
	Write string
	// Occurrence counts the writes of this label from 1, from when the point was armed.
	Occurrence int
	// After lets the write happen first.
	After bool
}

func (p crashPoint) String() string {
	when := "before"
	if p.After {
		when = "after"
	}
	return fmt.Sprintf("%s %s %d", when, p.Write, p.Occurrence)
}

// tracker tells the parent of every write, and dies where it was told to.
type tracker struct {
	mu    sync.Mutex
	point crashPoint
	seen  int
}

func (t *tracker) arm(p crashPoint) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.point, t.seen = p, 0
}

// around sends a request; label is empty for one that writes nothing.
func (t *tracker) around(label string, r *http.Request, next http.RoundTripper) (*http.Response, error) {
	if label == "" {
		return next.RoundTrip(r)
	}
	dies, after := t.note(label)
	if dies && !after {
		die()
	}
	answer, err := next.RoundTrip(r)
	if dies {
		die()
	}
	return answer, err
}

// note tells the parent, and reports whether this is the point to die at.
func (t *tracker) note(label string) (dies, after bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Println("write", label)
	if label == t.point.Write {
		t.seen++
	}
	return label == t.point.Write && t.seen == t.point.Occurrence, t.point.After
}

// die ends this process as a machine without power would: nothing is finished, nothing is flushed.
func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// apiWrite is the label of a write of one of our objects; empty for any other request.
func apiWrite(r *http.Request) string {
	_, rest, ours := strings.Cut(r.URL.Path, "/apis/concur.ess-operator.io/v1alpha1/namespaces/")
	if !ours || r.Method == http.MethodGet {
		return ""
	}
	_, object, _ := strings.Cut(rest, "/")
	return r.Method + " " + object
}

// concurWrite is the label of a write at ESS; empty for any other request.
func concurWrite(r *http.Request, namespace string) string {
	var id string
	switch r.Method {
	case http.MethodDelete:
		id = path.Base(r.URL.Path)
	case http.MethodPut:
		id = idOf(r)
	default:
		return ""
	}
	return r.Method + " " + strings.TrimPrefix(id, namespace+".")
}

// idOf reads the id from a copy of the body of a PUT.
func idOf(r *http.Request) string {
	body, err := r.GetBody()
	if err != nil {
		return err.Error()
	}
	defer body.Close()
	var subscription struct{ ID string }
	if err := json.NewDecoder(body).Decode(&subscription); err != nil {
		return err.Error()
	}
	return subscription.ID
}

// roundTrip is a transport that is a function.
type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
