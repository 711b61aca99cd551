package essemulator

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
)

// Event is something that happened in a company.
type Event struct {
	// Topic it is published to; "" takes the topic in Body.
	Topic string
	// CompanyID is where it happened; "" takes facts.companyId in Body.
	CompanyID string
	// Type is what filters are matched against; "" takes eventType in Body. Set it to publish a Body that
	// is no event at all.
	Type string
	// Body is the event in JSON. Endpoints get it byte for byte.
	Body []byte
	// Groups are the groups it belongs to.
	Groups []string
}

// envelope is what the emulator reads of an event's body. Samples of Concur's pages lack fields and vary
// their types, so everything is optional and what is no string counts as absent.
type envelope struct {
	id, topic, eventType, correlationID, companyID string
}

func envelopeOf(body []byte) envelope {
	fields := object(body)
	return envelope{
		id: text(fields["id"]), topic: text(fields["topic"]), eventType: text(fields["eventType"]),
		correlationID: text(fields["correlationId"]), companyID: text(object(fields["facts"])["companyId"]),
	}
}

func object(raw []byte) map[string]json.RawMessage {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return nil
	}
	return fields
}

func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// complete fills what the caller left to the body.
func (ev Event) complete(env envelope) (Event, error) {
	if ev.Topic == "" {
		ev.Topic = env.topic
	}
	if ev.Type == "" {
		ev.Type = env.eventType
	}
	if ev.CompanyID == "" {
		ev.CompanyID = env.companyID
	}
	if ev.Topic == "" || ev.Type == "" {
		return ev, fmt.Errorf(
			"publishing an event: topic and event type are neither given nor in the body: %w", ErrInvalid)
	}
	return ev, nil
}

// wants tells whether a subscription is to get the event (SAP Concur API explorer, Event Subscription
// Service: topic, company, group and filter all have to fit).
func (e *Emulator) wants(s *Subscription, ev *Event) bool {
	switch {
	case s.Topic != ev.Topic, s.MarkedForDeletion && !e.assume.MarkedDelivers:
		return false
	case !slices.Contains(s.CompanyIDs, ev.CompanyID) && !slices.Equal(s.CompanyIDs, []string{anyCompany}):
		return false
	case len(s.Groups) > 0 && !slices.ContainsFunc(ev.Groups, func(g string) bool { return slices.Contains(s.Groups, g) }):
		return false
	}
	return matches(s.Filter, ev.Type, e.assume.FilterMatch)
}

// matches applies a filter. One that is no regular expression matches nothing.
func matches(filter, eventType string, how FilterMatch) bool {
	if how == MatchFull {
		filter = "^(?:" + filter + ")$"
	}
	re, err := regexp.Compile(filter)
	return err == nil && re.MatchString(eventType)
}
