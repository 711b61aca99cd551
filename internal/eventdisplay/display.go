// Package eventdisplay is a sink for demonstrations and tests: it takes CloudEvents over HTTP, prints one line for
// each, and shows the last ones.
//
//	http.Handle("/", eventdisplay.New(os.Stdout))
//
// Events come by POST to any path, in binary or in structured mode, and are answered with 204. What is no CloudEvent
// of version 1.0 is answered with 400 and not printed; batches are not taken. GET / answers
//
//	{"received": 2, "events": [{"type": "…", "subject": "…", "id": "…", "source": "…"}, …]}
//
// with the last 1,000 events, oldest first. received counts all since the start, repetitions included: senders
// deliver at least once, and this sink compares no ids.
//
// Whoever can reach it can post to it and read it. Nothing of the events but these four attributes is kept, and
// each is cut to 1 KiB.
package eventdisplay

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"unicode"
)

const (
	maxBody      = 16 << 20 // of one event, above what the receiver accepts by default
	maxKept      = 1000     // events to show
	maxAttribute = 1 << 10  // bytes of an attribute
)

// Event is what is shown of a CloudEvent.
type Event struct {
	Type    string `json:"type"`
	Subject string `json:"subject,omitempty"`
	ID      string `json:"id"`
	Source  string `json:"source"`
}

// Display is the sink; make it with [New]. It may be called from many goroutines at once.
type Display struct {
	out io.Writer

	mu       sync.Mutex // guards all below, and keeps lines apart on out
	received int
	last     []Event
}

// New returns a sink that prints to out.
func New(out io.Writer) *Display { return &Display{out: out} }

// ServeHTTP takes an event, or shows the last ones.
func (d *Display) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodPost:
		d.take(w, r)
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "post CloudEvents, or get the last ones", http.StatusMethodNotAllowed)
	case r.URL.Path == "/":
		d.show(w)
	default:
		http.NotFound(w, r)
	}
}

func (d *Display) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "reading the event: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	event, err := decode(r.Header, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	d.add(event)
	w.WriteHeader(http.StatusNoContent)
}

// add prints an event and remembers it.
func (d *Display) add(e Event) {
	for _, attribute := range []*string{&e.Type, &e.Subject, &e.ID, &e.Source} {
		*attribute = shown(*attribute)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.received++
	if len(d.last) == maxKept {
		d.last = append(d.last[:0], d.last[1:]...)
	}
	d.last = append(d.last, e)
	fmt.Fprintf(d.out, "%s subject=%s id=%s source=%s\n", e.Type, e.Subject, e.ID, e.Source)
}

// shown is an attribute in one line of bounded length, whatever its sender wrote.
func shown(s string) string {
	if len(s) > maxAttribute {
		s = strings.ToValidUTF8(s[:maxAttribute], "") + "…"
	}
	return strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return unicode.ReplacementChar
		}
		return c
	}, s)
}

func (d *Display) show(w http.ResponseWriter) {
	d.mu.Lock()
	answer := struct {
		Received int     `json:"received"`
		Events   []Event `json:"events"`
	}{d.received, append([]Event{}, d.last...)}
	d.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // the caller has gone
}
