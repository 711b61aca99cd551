package route

import (
	"errors"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// DefaultNotifyPath is where Concur's callout posts notifications unless the connector says otherwise
// (SAP Concur, Event Notification v1).
const DefaultNotifyPath = "/concur/v1.0/notify"

// Connector is one entry of the connectors list: who may post notifications of the legacy callout, and
// where they go.
type Connector struct {
	ID event.RouteID
	// Path is where Concur posts. Connectors may share one: the user name tells them apart.
	Path string
	// Credentials are those accepted; more than one while they are being rotated.
	Credentials []Credential
	// Sink is where notifications go; nil: they stay in the store.
	Sink *Sink
	// AwaitSink: a sink is wanted but not known yet.
	AwaitSink bool
	Delivery  Delivery
}

// Route is the part of a connector that says where its notifications go; how they come in, it does not say.
func (c Connector) Route() Route {
	return Route{ID: c.ID, Sink: c.Sink, AwaitSink: c.AwaitSink, Delivery: c.Delivery}
}

// Credential is what Concur shows by HTTP Basic. It never goes to a log.
type Credential struct {
	Username, Password string
	// ValidUntil is when it ceases to be accepted, should nobody take it out of the file before; zero: never.
	ValidUntil time.Time
}

// instant is a time as RFC 3339 writes it.
type instant time.Time

var errInstant = errors.New("must be a time as RFC 3339 writes it, such as 2026-01-31T12:00:00Z")

func (i *instant) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return errInstant
	}
	*i = instant(t.UTC())
	return nil
}
