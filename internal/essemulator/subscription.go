package essemulator

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Subscription is a subscription as the emulator holds it: the fields of the API, and what only ESS knows.
type Subscription struct {
	ID            string   `json:"id"`
	ApplicationID string   `json:"applicationId"`
	Topic         string   `json:"topic"`
	Filter        string   `json:"filter"`
	Endpoint      string   `json:"endpoint"`
	Scope         string   `json:"scope"`
	CompanyIDs    []string `json:"companyIds"`
	Groups        []string `json:"groups"`
	// CreatedAt is the time of the first PUT.
	CreatedAt time.Time `json:"createdAt"`
	// MarkedForDeletion is set by DELETE; the subscription is gone at GoneAt.
	MarkedForDeletion bool      `json:"markedForDeletion"`
	GoneAt            time.Time `json:"goneAt,omitzero"`
	// WithoutCompanySince is since when companyIds is empty; zero while it is not.
	WithoutCompanySince time.Time `json:"withoutCompanySince,omitzero"`
	// FailingSince is the first failed delivery attempt after the last success; zero when there is none.
	FailingSince time.Time `json:"failingSince,omitzero"`
	// LastSuccess is the last time the endpoint took an event.
	LastSuccess time.Time `json:"lastSuccess,omitzero"`
}

// Subscriptions returns the subscriptions of an application, or all with "", sorted by id. Those marked for
// deletion are among them until they are gone.
func (e *Emulator) Subscriptions(appID string) []Subscription {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweep()
	return e.subscriptions(appID)
}

// subscriptions copies; e.mu is held.
func (e *Emulator) subscriptions(appID string) []Subscription {
	out := []Subscription{}
	for _, s := range e.subs {
		if appID == "" || s.ApplicationID == appID {
			out = append(out, s.clone())
		}
	}
	slices.SortFunc(out, func(a, b Subscription) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// PutSubscription stores s behind the API's back and without its checks, to make drift and foreign objects.
// A zero CreatedAt becomes the time it was there already, or now.
func (e *Emulator) PutSubscription(s Subscription) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweep()
	now := e.clock.Now()
	if old, ok := e.subs[s.ID]; ok && s.CreatedAt.IsZero() {
		s.CreatedAt = old.CreatedAt
	}
	if s.CreatedAt.IsZero() {
		s.CreatedAt = now
	}
	if s.MarkedForDeletion && s.GoneAt.IsZero() {
		s.GoneAt = now.Add(e.assume.DeleteDelay)
	}
	s = s.clone()
	s.companiesChanged(now)
	e.subs[s.ID] = &s
	e.changed()
}

// RemoveSubscription makes a subscription vanish at once, as when ESS removes it. An absent one is no fault.
func (e *Emulator) RemoveSubscription(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.remove(id, "removed by hand")
}

// sweep drops what is gone by now; e.mu is held. It runs before every look at the subscriptions, so that a
// stepped clock shows without anything running in the background.
func (e *Emulator) sweep() {
	now := e.clock.Now()
	for _, id := range slices.Sorted(maps.Keys(e.subs)) {
		s := e.subs[id]
		switch age := e.assume.RemovalAge; {
		case s.MarkedForDeletion && !now.Before(s.GoneAt):
			e.remove(id, "deleted")
		case age > 0 && older(s.WithoutCompanySince, now, age):
			e.remove(id, fmt.Sprintf("without a company for %v", age))
		case age > 0 && older(s.FailingSince, now, age):
			e.remove(id, fmt.Sprintf("no successful delivery for %v", age))
		}
	}
}

// remove drops a subscription; e.mu is held.
func (e *Emulator) remove(id, why string) {
	if _, ok := e.subs[id]; ok {
		delete(e.subs, id)
		e.changed()
		e.logger.Info("removing subscription", "subscription", id, "why", why)
	}
}

// older tells whether since is set and at least age before now.
func older(since, now time.Time, age time.Duration) bool {
	return !since.IsZero() && now.Sub(since) >= age
}

// companiesChanged keeps WithoutCompanySince true to CompanyIDs.
func (s *Subscription) companiesChanged(now time.Time) {
	switch {
	case len(s.CompanyIDs) > 0:
		s.WithoutCompanySince = time.Time{}
	case s.WithoutCompanySince.IsZero():
		s.WithoutCompanySince = now
	}
}

func (s *Subscription) clone() Subscription {
	c := *s
	c.CompanyIDs, c.Groups = slices.Clone(s.CompanyIDs), slices.Clone(s.Groups)
	return c
}
