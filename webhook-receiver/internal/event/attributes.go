package event

import "time"

// Attribute is one CloudEvents context attribute in its string form.
type Attribute struct{ Name, Value string }

// The versions and media types that Concur's events have as CloudEvents.
const (
	specVersion     = "1.0"
	jsonContentType = "application/json"
	anyContentType  = "application/octet-stream"
)

// Attributes returns the CloudEvents 1.0 context attributes of e, always in the same order: those of the
// specification first, then the extensions. Those without a value are left out.
func (e Event) Attributes() []Attribute {
	all := [...]Attribute{
		{"specversion", specVersion},
		{"id", e.ID},
		{"source", e.Source},
		{"type", e.Type},
		{"time", e.Time.UTC().Format(time.RFC3339Nano)},
		{"subject", e.Subject},
		{"datacontenttype", e.DataContentType},
		{"concurtopic", e.Topic},
		{"concureventtype", e.EventType},
		{"concurcorrelationid", e.CorrelationID},
		{"concurcompanyid", e.CompanyID},
		{"subscriptionid", e.SubscriptionID},
	}
	some := make([]Attribute, 0, len(all))
	for _, a := range all {
		if a.Value != "" {
			some = append(some, a)
		}
	}
	return some
}
