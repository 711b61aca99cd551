package callout

import (
	"fmt"
	"slices"
	"time"
)

// Outcome is how a callout stands.
type Outcome string

// The outcomes.
const (
	Queued    Outcome = "queued"    // not tried yet, or waiting for the next attempt
	Delivered Outcome = "delivered" // the connector answered 200
	GivenUp   Outcome = "failed"    // listed as FAILED
	Deleted   Outcome = "deleted"   // was FAILED, and somebody deleted it there
)

const (
	// maxLedger bounds the ledger; what was delivered or deleted is forgotten first.
	maxLedger = 2 * maxLive
	// maxAttempts bounds [Assumptions.Attempts], and with it the attempts kept.
	maxAttempts = 100
	// maxKeptBody bounds what is kept of a body after it was sent.
	maxKeptBody = 8 << 10
)

// Callout is one notification on its way to one connector.
type Callout struct {
	// ID counts callouts from 1 in the order of publication.
	ID        int    `json:"id"`
	Connector string `json:"connector"`
	CompanyID string `json:"companyId,omitempty"`
	// NotificationID is the opaque id under which it is listed if it fails.
	NotificationID string `json:"notificationId"`
	EventType      string `json:"eventType"`
	ObjectType     string `json:"objectType"`
	ObjectURI      string `json:"objectURI"`

	PublishedAt time.Time `json:"publishedAt"`
	Outcome     Outcome   `json:"outcome"`
	Attempts    []Attempt `json:"attempts"`
	// NextAttempt is when it is tried again at the earliest.
	NextAttempt time.Time `json:"nextAttempt,omitzero"`

	// Body is what is sent, the first 8 KiB of it; BodySize and BodySHA256 are of the whole.
	Body       []byte `json:"-"`
	BodySize   int    `json:"bodySize"`
	BodySHA256 string `json:"bodySHA256"`
}

// Attempt is one call of a connector.
type Attempt struct {
	Time time.Time `json:"time"`
	URL  string    `json:"url"`
	// Status is the connector's answer, 0 if there was none.
	Status int `json:"status"`
	// Error is what went wrong on the way, "" if a whole answer came.
	Error string `json:"error,omitempty"`
}

// callout is a Callout and what the engine needs of it.
type callout struct {
	Callout
	content content
	body    []byte
}

// Ledger returns the callouts in the order of publication; of those delivered or deleted only the last are
// kept.
func (s *Service) Ledger() []Callout {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Callout, len(s.ledger))
	for i, n := range s.ledger {
		out[i] = n.Callout
		out[i].Attempts = append([]Attempt{}, n.Attempts...)
		out[i].Body = slices.Clone(n.body[:min(len(n.body), maxKeptBody)])
	}
	return out
}

// enter adds a callout to the ledger; s.mu is held.
func (s *Service) enter(n *callout) {
	if len(s.ledger) >= maxLedger {
		gone := 0
		s.ledger = slices.DeleteFunc(s.ledger, func(n *callout) bool {
			if n.Outcome == Queued || n.Outcome == GivenUp || gone >= maxLedger/4 {
				return false
			}
			gone++
			return true
		})
	}
	s.ledger = append(s.ledger, n)
	s.live++
	s.queued += len(n.body)
}

// settle takes a callout from its queue; s.mu is held.
func (s *Service) settle(c *connector, n *callout, how Outcome) {
	n.Outcome, n.NextAttempt = how, time.Time{}
	s.queued -= len(n.body)
	n.body = slices.Clone(n.body[:min(len(n.body), maxKeptBody)])
	at := slices.Index(c.queue, n)
	c.queue = slices.Delete(c.queue, at, at+1)
	if how == GivenUp {
		s.byID[n.NotificationID] = n
	} else {
		s.live--
	}
	s.logger.Info("settling callout", "callout", n.ID, "connector", n.Connector, "outcome", how)
}

// Failed returns the FAILED notifications of a company, oldest first, with their URIs made from the prefix.
// How many, and the form of their dates, is assumed.
func (s *Service) Failed(companyID, uriPrefix string) []Failed {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Failed
	for _, n := range s.ledger {
		if n.Outcome != GivenUp || n.CompanyID != companyID {
			continue
		}
		if s.assume.ListLimit > 0 && len(out) == s.assume.ListLimit {
			break
		}
		out = append(out, n.failed(uriPrefix, s.assume.ListDate))
	}
	return out
}

// failed is the callout as the list shows it.
func (n *callout) failed(uriPrefix string, date DateForm) Failed {
	f := Failed{
		EventDateTime: n.content.date(date), EventType: n.EventType, NotificationURI: uriPrefix + n.NotificationID,
		ObjectType: n.ObjectType, ObjectURI: n.ObjectURI,
	}
	if text := n.content.Context; text != "" {
		f.Context = &text
	}
	return f
}

// Delete takes a FAILED notification of a company from the list. The error is [ErrNoNotification], also for
// one of another company.
func (s *Service) Delete(companyID, notificationID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.byID[notificationID]
	if !ok || n.CompanyID != companyID {
		return fmt.Errorf("deleting notification %q: %w", notificationID, ErrNoNotification)
	}
	delete(s.byID, notificationID)
	n.Outcome = Deleted
	s.live--
	s.changed()
	return nil
}
