package event

import (
	"errors"
	"time"
)

// What a store can answer instead of doing what it was asked; test with errors.Is.
var (
	// ErrFull: the store has reached its limit and takes no event until some have gone.
	ErrFull = errors.New("the store is full")
	// ErrUnavailable: a write or sync failed, or the store is closing. What the disk holds of the write is unknown.
	ErrUnavailable = errors.New("the store does not take writes")
	// ErrNotClaimed: nobody delivers that event now, so nobody can say how it went.
	ErrNotClaimed = errors.New("the event is not claimed")
	// ErrNotFound: there is no such event, or no longer.
	ErrNotFound = errors.New("no such event")
)

// State is how the delivery of a stored event stands.
type State string

// The states.
const (
	Stored      State = "stored"      // kept for reading; its route had no sink when it arrived
	Pending     State = "pending"     // to be delivered, now or at Due
	Delivered   State = "delivered"   // the sink answered 2xx
	Dead        State = "dead"        // its retries are over; kept, can be replayed
	Quarantined State = "quarantined" // authentic, but not an event as documented; kept, can be replayed
)

// States lists all states.
func States() []State { return []State{Stored, Pending, Delivered, Dead, Quarantined} }

// Entry is an event on its way into the store.
type Entry struct {
	Event Event
	// State is Pending, Stored or Quarantined.
	State State
	// OrderKey makes events of one route and one key be delivered one after the other; empty: any order.
	OrderKey string
}

// Outcome is what storing an event came to, when it did not fail.
type Outcome string

// The outcomes.
const (
	Accepted  Outcome = "accepted"  // on disk now
	Duplicate Outcome = "duplicate" // it was on disk already
)

// Record is an event in the store and how its delivery stands.
type Record struct {
	// Seq counts events from 1 in the order in which they were stored. It never names another event.
	Seq   uint64 `json:"seq"`
	Event Event  `json:"event"`
	State State  `json:"state"`
	// Attempts counts those since it was stored or last replayed.
	Attempts int `json:"attempts"`
	// Due is when a pending event is tried next.
	Due time.Time `json:"due,omitzero"`
	// Since is when it was stored, last replayed or, of a dead one, given up. It is a time of the clock as it goes now,
	// whatever that was set to in between; ages are to be counted from it.
	Since time.Time `json:"-"`
	// LastAttempt is when the last attempt ended.
	LastAttempt time.Time `json:"lastAttempt,omitzero"`
	// LastError is why the last attempt failed; empty after success.
	LastError string `json:"lastError,omitempty"`
	// ToDeadLetterSink: it is dead, and now on its way to the dead letter sink.
	ToDeadLetterSink bool `json:"toDeadLetterSink,omitempty"`
	// Replays counts how often it was made pending again.
	Replays int `json:"replays,omitempty"`
	// Missed is for a live tail only: how many events just before this one its reader was too slow for.
	Missed uint64 `json:"missed,omitempty"`
}

// Settlement is how an attempt to deliver a claimed event ended. Its zero value says that it was delivered.
type Settlement struct {
	// Error is why the attempt failed; empty when the sink took the event.
	Error string
	// RetryAt is when to try again; zero after a failure: never, the event is dead.
	RetryAt time.Time
	// ToDeadLetterSink: the event is dead and on its way to the dead letter sink, its attempts counted anew. It is
	// due there at RetryAt; zero: now.
	ToDeadLetterSink bool
	// Abandoned: nothing was tried, or nobody knows how it ended; the claim alone is given back.
	Abandoned bool
}

// Page says which part of a list is wanted.
type Page struct {
	// After is the Seq of the last event of the page before; zero: begin.
	After uint64
	// Limit is how many events at the most.
	Limit int
	// Newest: from the newest to the oldest.
	Newest bool
}

// Filter selects events; its zero value selects all.
type Filter struct {
	Kind            Kind
	Namespace, Name string
	ID              string // event id
	State           State
	Type            string    // CloudEvents type, or Concur's event type
	Since, Until    time.Time // by Received; Since is included, Until is not
}

// RouteStats are what the store knows of one route.
type RouteStats struct {
	Route RouteID `json:"route"`
	// Received counts events stored since the store was made, without duplicates.
	Received uint64 `json:"received"`
	// Pending, DeadLettered and Quarantined count what the store holds now.
	Pending      uint64 `json:"pending"`
	DeadLettered uint64 `json:"deadLettered"`
	Quarantined  uint64 `json:"quarantined"`
	// LastEventTime is when the last event arrived.
	LastEventTime time.Time `json:"lastEventTime,omitzero"`
	// OldestPending is when the oldest event that waits arrived.
	OldestPending time.Time `json:"oldestPending,omitzero"`
	// LastError is why the last failed attempt of this route failed; empty once one succeeded after it.
	LastError     string    `json:"lastError,omitempty"`
	LastErrorTime time.Time `json:"lastErrorTime,omitzero"`
	// LastTestConnection is when Concur's Test Connection last succeeded for a connector. The intake remembers it, in
	// memory only; zero: never, or not since the start.
	LastTestConnection time.Time `json:"lastTestConnection,omitzero"`
	// Refusals tell what the store cannot: deliveries that were not taken. The intake remembers them, in memory
	// only; nil while the last delivery was taken, and after a start.
	Refusals *Refusals `json:"refusals,omitempty"`
}

// Refusals are deliveries for a known route that were answered with 401 or 503, since the last one that was taken.
// ESS repeats such for 72 hours, and removes a subscription without a successful delivery in 30 days (SAP Concur,
// Event Subscription Service v4, Retry Policy and Subscription Limits).
type Refusals struct {
	Count uint64 `json:"count"`
	// Since and Last are when the first and the last of them came.
	Since time.Time `json:"since"`
	Last  time.Time `json:"last"`
	// Reason is why the last was refused, in a few words for people, such as "nothing proves that it comes from Concur".
	// It holds nothing that the sender chose.
	Reason string `json:"reason"`
}

// StoreStats are what the store knows of itself. Sizes are in bytes.
type StoreStats struct {
	Events   uint64 `json:"events"`
	Used     int64  `json:"used"`
	FileSize int64  `json:"fileSize"`
	MaxSize  int64  `json:"maxSize"`
	// Full: appends are refused because Used, or the disk, has reached its limit.
	Full bool `json:"full"`
	// Failed is the failure after which appends are refused until the file has been reopened; empty when all is well.
	Failed string `json:"failed,omitempty"`
	// SyncLatency is the median of the startup check's syncs.
	SyncLatency time.Duration `json:"syncLatency"`
	Routes      []RouteStats  `json:"routes"`
}
