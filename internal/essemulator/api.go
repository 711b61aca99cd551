package essemulator

import (
	"fmt"
	"net/http"
)

// subscriptionAPI does the operations under /events/v4 (SAP Concur, Event Topics, subscription management).
func (e *Emulator) subscriptionAPI(c *call) (any, error) {
	switch {
	case c.wrongMethod:
		return nil, refuse(http.StatusMethodNotAllowed, "method.not.allowed", "method not allowed for this path")
	case c.op == OpUnknown:
		return nil, refuse(http.StatusNotFound, "not.found", "no such resource")
	}
	g, err := e.authorize(c)
	if err != nil {
		return nil, err
	}
	if c.unreadable != nil {
		return nil, refuse(http.StatusBadRequest, invalidRequest, "%v", c.unreadable)
	}
	switch c.op {
	case OpTopics:
		return topicsFor(g.scopes), nil
	case OpList:
		return e.list(g), nil
	case OpGet:
		return e.get(g, c.subID)
	case OpPut:
		return e.put(g, c.body)
	default:
		return e.markDeleted(g, c.subID)
	}
}

// message is the answer of PUT and DELETE.
type message struct {
	Message string `json:"message"`
}

func (e *Emulator) list(g grant) []wireSubscription {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweep()
	out := []wireSubscription{}
	for _, s := range e.subscriptions(g.appID) {
		if e.visible(&s) {
			out = append(out, wireOf(&s))
		}
	}
	return out
}

func (e *Emulator) get(g grant, id string) (any, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweep()
	s, err := e.owned(g, id)
	switch {
	case err != nil:
		return nil, err
	case s == nil:
		return []wireSubscription{}, nil
	case e.assume.GetShape == GetObject:
		return wireOf(s), nil
	default:
		return []wireSubscription{wireOf(s)}, nil
	}
}

// markDeleted answers at once; sweep does the deletion when its time has come.
func (e *Emulator) markDeleted(g grant, id string) (any, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweep()
	s, err := e.owned(g, id)
	if err != nil {
		return nil, err
	}
	if s != nil && !s.MarkedForDeletion {
		s.MarkedForDeletion, s.GoneAt = true, e.clock.Now().Add(e.assume.DeleteDelay)
		e.changed()
	}
	return message{fmt.Sprintf("Subscription '%s' marked for deletion", id)}, nil
}

// owned finds a subscription of the caller; e.mu is held. Nil without an error is an absent one that, by
// assumption, is not refused.
func (e *Emulator) owned(g grant, id string) (*Subscription, error) {
	s, ok := e.subs[id]
	status := e.assume.Statuses.UnknownID
	switch {
	case ok && s.ApplicationID == g.appID && e.visible(s):
		return s, nil
	case ok && s.ApplicationID != g.appID:
		status = e.assume.Statuses.ForeignID
	}
	if status == http.StatusOK {
		return nil, nil
	}
	return nil, refuse(status, "subscription.not.found", "Subscription '%s' not found", id)
}

func (e *Emulator) visible(s *Subscription) bool {
	return !s.MarkedForDeletion || e.assume.MarkedListed
}

// wireSubscription is a subscription as the API shows it, fields in the order of Concur's samples.
type wireSubscription struct {
	AllowPublicAccess bool          `json:"allowPublicAccess"`
	StartFromEarliest bool          `json:"startFromEarliest"`
	ID                string        `json:"id"`
	Topic             string        `json:"topic"`
	Filter            string        `json:"filter"`
	WebHookConfig     webHookConfig `json:"webHookConfig"`
	ApplicationID     string        `json:"applicationId"`
	Scope             string        `json:"scope"`
	Groups            []string      `json:"groups"`
	CompanyIDs        []string      `json:"companyIds"`
}

type webHookConfig struct {
	Endpoint string `json:"endpoint"`
}

func wireOf(s *Subscription) wireSubscription {
	return wireSubscription{
		AllowPublicAccess: true, ID: s.ID, Topic: s.Topic, Filter: s.Filter,
		WebHookConfig: webHookConfig{s.Endpoint}, ApplicationID: s.ApplicationID, Scope: s.Scope,
		Groups: append([]string{}, s.Groups...), CompanyIDs: append([]string{}, s.CompanyIDs...),
	}
}
