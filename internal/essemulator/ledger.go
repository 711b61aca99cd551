package essemulator

import (
	"slices"
	"time"
)

// Outcome is how a delivery stands.
type Outcome string

// The outcomes. All but Pending are final.
const (
	Pending   Outcome = "pending"   // not tried yet, or waiting for the next attempt
	Delivered Outcome = "delivered" // the endpoint answered 2xx
	Lost      Outcome = "lost"      // the endpoint refused it for good, or the subscription is gone
	Expired   Outcome = "expired"   // not delivered within the retention
)

const (
	// maxWaiting bounds the pending deliveries; beyond it [Emulator.Publish] refuses.
	maxWaiting = 20000
	// maxLedger bounds the ledger; settled deliveries are forgotten first.
	maxLedger = 2 * maxWaiting
	// maxAttempts bounds the attempts kept of one delivery; the oldest are forgotten first.
	maxAttempts = 100
)

// Delivery is one event on its way to one subscription.
type Delivery struct {
	// ID counts deliveries from 1 in the order of publication.
	ID             int       `json:"id"`
	SubscriptionID string    `json:"subscriptionId"`
	Topic          string    `json:"topic"`
	CompanyID      string    `json:"companyId"`
	EventType      string    `json:"eventType"`
	EventID        string    `json:"eventId,omitempty"`
	CorrelationID  string    `json:"correlationId"`
	PublishedAt    time.Time `json:"publishedAt"`
	Outcome        Outcome   `json:"outcome"`
	// Attempts are the last 100, oldest first.
	Attempts []Attempt `json:"attempts"`
	// NextAttempt is when a pending delivery is tried again, or expires.
	NextAttempt time.Time `json:"nextAttempt,omitzero"`
}

// Attempt is one POST to an endpoint.
type Attempt struct {
	Time     time.Time `json:"time"`
	Endpoint string    `json:"endpoint"`
	// Status is the endpoint's answer, 0 if there was none.
	Status int `json:"status"`
	// Error is what went wrong on the way, "" if an answer came.
	Error string `json:"error,omitempty"`
}

// delivery is a Delivery and what the engine needs of it.
type delivery struct {
	Delivery
	body   []byte
	tries  int
	repeat bool // send once more after success
}

// Ledger returns the deliveries in the order of publication; of settled ones only the last are kept.
func (e *Emulator) Ledger() []Delivery {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]Delivery, len(e.ledger))
	for i, d := range e.ledger {
		out[i] = d.Delivery
		out[i].Attempts = append([]Attempt{}, d.Attempts...)
	}
	return out
}

// enter adds a delivery to the ledger; e.mu is held.
func (e *Emulator) enter(d *delivery) {
	if len(e.ledger) >= maxLedger {
		settled := 0
		e.ledger = slices.DeleteFunc(e.ledger, func(d *delivery) bool {
			if d.Outcome == Pending || settled >= maxLedger/4 {
				return false
			}
			settled++
			return true
		})
	}
	e.published++
	d.ID = e.published
	e.ledger = append(e.ledger, d)
	e.waiting++
}

// settle ends a delivery; e.mu is held.
func (e *Emulator) settle(d *delivery, how Outcome) {
	d.Outcome, d.NextAttempt, d.body = how, time.Time{}, nil
	e.waiting--
	e.logger.Info("settling delivery", "delivery", d.ID, "subscription", d.SubscriptionID, "outcome", how)
}
