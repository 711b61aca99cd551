// Package route reads the routes file: for whom the receiver takes events, and
// where it hands them. The operator renders that file from EventSubscriptions
// and ApplicationConnectors; a person may write it just as well.
//
// A [Table] never changes. When the file changes, a new one takes its place.
package route

import (
	"net/url"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// Route says whose events are taken, and where they go. A subscription is a Route, and a [Connector] has one.
type Route struct {
	ID event.RouteID
	// SubscriptionID is the id at ESS; empty for a connector.
	SubscriptionID string
	// Source is the base URI of the data center, without a slash at its end; CloudEvents sources begin with it. It
	// is empty for a connector, whose sources begin with the URL of the receiver.
	Source string
	// Sink is where events go; nil: they stay in the store.
	Sink *Sink
	// AwaitSink: a sink is wanted but not known yet, so events wait as pending.
	AwaitSink bool
	Delivery  Delivery
}

// Sink is a destination of CloudEvents.
type Sink struct {
	// URI is http or https, absolute.
	URI *url.URL
	// CABundle holds PEM certificates to trust beside the system's; empty: those only.
	CABundle []byte
}

// BackoffPolicy is Knative's word for how delays grow.
type BackoffPolicy string

// The policies: the n-th retry comes after n times the delay, or after the delay times 2 to the n.
const (
	Linear      BackoffPolicy = "linear"
	Exponential BackoffPolicy = "exponential"
)

// Ordering says which events wait for one another.
type Ordering string

// The orderings.
const (
	Unordered Ordering = "None"
	PerKey    Ordering = "PerKey"
)

// Format is the CloudEvents content mode, in Knative's words.
type Format string

// The formats.
const (
	Binary     Format = "binary"
	Structured Format = "json"
)

// Delivery is Knative's DeliverySpec, with every default filled in.
type Delivery struct {
	// Retries is how often a failed delivery is tried again. Negative: until the event is as old as the
	// store's retention.
	Retries       int
	BackoffPolicy BackoffPolicy
	BackoffDelay  time.Duration
	// Timeout bounds one attempt.
	Timeout time.Duration
	// DeadLetterSink gets what could not be delivered; nil: nobody. It stays in the store either way.
	DeadLetterSink *Sink
	Ordering       Ordering
	Format         Format
}
