package intake

import (
	"sync"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

// refusals remembers which routes could not take their last delivery. Its zero value remembers nothing.
type refusals struct {
	mu  sync.Mutex
	now map[event.RouteID]event.Refusals
}

// note remembers how a delivery was answered; an id without a name stands for unknown routes, of which nothing is kept.
func (f *refusals) note(id event.RouteID, a answer, at time.Time) {
	if id.Name == "" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if a.taken() {
		delete(f.now, id)
		return
	}
	r, ok := f.now[id]
	if !ok {
		r.Since = at
	}
	r.Count++
	r.Last, r.Reason = at, a.text
	if f.now == nil {
		f.now = make(map[event.RouteID]event.Refusals)
	}
	f.now[id] = r
}

// of returns what is remembered of the routes in t, and forgets the others.
func (f *refusals) of(t *route.Table) map[event.RouteID]event.Refusals {
	f.mu.Lock()
	defer f.mu.Unlock()
	known := make(map[event.RouteID]event.Refusals, len(f.now))
	for id, r := range f.now {
		if _, ok := t.ByID(id); ok {
			known[id] = r
		} else {
			delete(f.now, id)
		}
	}
	return known
}
