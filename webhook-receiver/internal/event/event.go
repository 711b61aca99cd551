package event

import (
	"encoding/json"
	"time"
)

// Kind says which list of the routes file a route stands in.
type Kind string

// The kinds of routes.
const (
	Subscription Kind = "subscription" // of an EventSubscription: ESS delivers JSON
	Connector    Kind = "connector"    // of an ApplicationConnector: the callout posts XML
)

// RouteID names a route.
type RouteID struct {
	Kind      Kind   `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String returns "subscription/finance/expense-reports".
func (r RouteID) String() string {
	return string(r.Kind) + "/" + r.Namespace + "/" + r.Name
}

// Event is one delivery of Concur: what arrived, and the CloudEvents attributes that were fixed when it
// was accepted, so that a retry and a replay say the same as the first attempt.
type Event struct {
	Route RouteID `json:"route"`
	// ID is the event's own id or, without one, the hex SHA-256 of the body. Duplicates are told by Route and ID.
	ID string `json:"id"`
	// Source is the CloudEvents source.
	Source string `json:"source"`
	// Type is the CloudEvents type.
	Type string `json:"type"`
	// Subject is the CloudEvents subject: the report, request, document or user it is about; may be empty.
	Subject string `json:"subject,omitempty"`
	// Time is when Concur published it or, where that cannot be read, when it arrived.
	Time time.Time `json:"time"`
	// DataContentType is the media type of Data.
	DataContentType string `json:"dataContentType"`
	// SubscriptionID is the id of the ESS subscription; empty for a callout.
	SubscriptionID string `json:"subscriptionID,omitempty"`
	// Topic, EventType, CorrelationID and CompanyID are as Concur wrote them; each may be empty.
	Topic         string `json:"topic,omitempty"`
	EventType     string `json:"eventType,omitempty"`
	CorrelationID string `json:"correlationID,omitempty"`
	CompanyID     string `json:"companyID,omitempty"`
	// Received is when it arrived.
	Received time.Time `json:"received"`
	// Proof is what proved that it came from Concur, such as "certificate" or "signature:current".
	Proof string `json:"proof"`
	// Quarantine says why it cannot be an event of Concur's documented form; empty when it can.
	Quarantine string `json:"quarantine,omitempty"`
	// Header holds the headers as received, without credentials.
	Header map[string][]string `json:"header,omitempty"`
	// Body is the request body, byte for byte.
	Body []byte `json:"-"`
	// Converted is what sinks get in place of Body: JSON made of the XML of a callout. Empty: they get Body. It is
	// stored, like the attributes, so that a later version cannot deliver something else under the same id.
	Converted json.RawMessage `json:"converted,omitempty"`
}

// Data returns the CloudEvents data: what a sink gets, in the form that DataContentType names.
func (e Event) Data() []byte {
	if len(e.Converted) > 0 {
		return e.Converted
	}
	return e.Body
}
