package essemulator

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// idPattern is the charset that Concur's pages give for a subscription id.
var idPattern = regexp.MustCompile(`^[a-z0-9.-]+$`)

// readOnlyFields are those of a subscription that only ESS writes.
var readOnlyFields = []string{
	"allowPublicAccess", "applicationId", "companyIds", "groups", "scope", "startFromEarliest",
}

// putBody is what PUT /events/v4/subscriptions/webhook takes; absent fields stay nil.
type putBody struct {
	ID            *string `json:"id"`
	Topic         *string `json:"topic"`
	Filter        *string `json:"filter"`
	WebHookConfig *struct {
		Endpoint *string `json:"endpoint"`
	} `json:"webHookConfig"`
}

// subscriptionIDOf reads the id of a PUT body for the log, "" if it has none.
func subscriptionIDOf(body []byte) string {
	var b putBody
	if json.Unmarshal(body, &b) != nil || b.ID == nil {
		return ""
	}
	return *b.ID
}

// put creates or updates a subscription of the caller.
func (e *Emulator) put(g grant, body []byte) (any, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweep()
	want, err := decodePut(body, &e.assume)
	if err != nil {
		return nil, err
	}
	want.ApplicationID = g.appID
	if err := e.admit(g, want); err != nil {
		return nil, err
	}
	e.store(want)
	return message{fmt.Sprintf("Subscription '%s' saved successfully", want.ID)}, nil
}

// decodePut reads a PUT body and refuses what cannot be a subscription.
func decodePut(body []byte, a *Assumptions) (Subscription, error) {
	no := func(format string, args ...any) (Subscription, error) {
		return Subscription{}, refuse(a.Statuses.Invalid, "request.validation.error", format, args...)
	}
	var b putBody
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &b) != nil || json.Unmarshal(body, &fields) != nil || fields == nil {
		return no("request body is not a JSON object of the expected form")
	}
	if a.ReadOnlyFields == RejectReadOnly {
		for _, name := range readOnlyFields {
			if _, ok := fields[name]; ok {
				return no("%s is read-only", name)
			}
		}
	}
	s := Subscription{Filter: ".*"}
	if b.Filter != nil {
		s.Filter = *b.Filter
	}
	switch {
	case b.ID == nil || *b.ID == "":
		return no("id is required")
	case !idPattern.MatchString(*b.ID) || *b.ID == webhookID:
		return no("id may contain only lower-case letters, digits, '.' and '-', and must not be 'webhook'")
	case b.Topic == nil || *b.Topic == "":
		return no("topic is required")
	case b.WebHookConfig == nil || b.WebHookConfig.Endpoint == nil || *b.WebHookConfig.Endpoint == "":
		return no("webHookConfig.endpoint is required")
	case !validEndpoint(*b.WebHookConfig.Endpoint, a.PlainEndpoints):
		return no("webHookConfig.endpoint must be an https URL")
	case a.CheckFilter && compiles(s.Filter) != nil:
		return no("filter is not a regular expression: %v", compiles(s.Filter))
	}
	s.ID, s.Topic, s.Endpoint = *b.ID, *b.Topic, *b.WebHookConfig.Endpoint
	return s, nil
}

// admit refuses a well-formed subscription that the caller may not have; e.mu is held.
func (e *Emulator) admit(g grant, want Subscription) error {
	status, old := e.assume.Statuses, e.subs[want.ID]
	switch {
	case !slices.Contains(topicsFor(g.scopes), want.Topic):
		return refuse(status.TopicNotAllowed, "topic.not.allowed",
			"application has no access to topic '%s'", want.Topic)
	case old != nil && old.ApplicationID != g.appID:
		return refuse(status.IDTaken, "subscription.exists", "Subscription '%s' already exists", want.ID)
	case old == nil && len(e.subscriptions(g.appID)) >= e.assume.SubscriptionLimit:
		return refuse(status.LimitReached, "subscription.limit.reached",
			"application already has %d subscriptions", e.assume.SubscriptionLimit)
	case old != nil && old.MarkedForDeletion && e.assume.PutMarked == PutRefused:
		return refuse(status.MarkedID, "subscription.marked", "Subscription '%s' is marked for deletion", want.ID)
	case old != nil && old.Topic != want.Topic && !e.assume.TopicChange:
		return refuse(status.Invalid, "request.validation.error", "topic cannot be changed")
	}
	return nil
}

// store writes an admitted subscription over what was there; e.mu is held.
func (e *Emulator) store(want Subscription) {
	now := e.clock.Now()
	next := Subscription{CreatedAt: now}
	if old := e.subs[want.ID]; old != nil {
		next = old.clone()
		if !e.assume.PutKeepsCompanies {
			next.CompanyIDs, next.Groups = nil, nil
		}
		if e.assume.PutMarked == PutRevives {
			next.MarkedForDeletion, next.GoneAt = false, time.Time{}
		}
	}
	next.ID, next.ApplicationID = want.ID, want.ApplicationID
	next.Topic, next.Filter, next.Endpoint = want.Topic, want.Filter, want.Endpoint
	if app := e.apps[want.ApplicationID]; app != nil && app.AllowedPrincipal != AnyPrincipal {
		next.CompanyIDs = union(next.CompanyIDs, []string{app.AllowedPrincipal})
	}
	next.companiesChanged(now)
	e.subs[want.ID] = &next
	e.changed()
}

// validEndpoint tells whether ESS could post to the URL.
func validEndpoint(raw string, plain bool) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return false
	}
	return strings.EqualFold(u.Scheme, "https") || plain && strings.EqualFold(u.Scheme, "http")
}

func compiles(filter string) error {
	_, err := regexp.Compile(filter)
	return err
}
