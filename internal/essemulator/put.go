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

// invalidRequest is the id of refusals of a body, as Concur's List v4 service has it.
const invalidRequest = "request.validation.error"

// idPattern is the charset that Concur's pages give for a subscription id.
var idPattern = regexp.MustCompile(`^[a-z0-9.-]+$`)

// readOnlyFields are those of a subscription that only ESS writes.
var readOnlyFields = []string{
	"allowPublicAccess", "applicationId", "companyIds", "groups", "scope", "startFromEarliest",
}

// putBody is what PUT /events/v4/subscriptions/webhook takes.
type putBody struct {
	id, topic, endpoint string
	filter              string
	readOnly            bool // it names a field that only ESS writes
}

// readPut takes a body apart by exact names: package json alone would also take webhookConfig for
// webHookConfig, and so hide a mistake that Concur would not forgive.
func readPut(body []byte) (b putBody, ok bool) {
	fields := object(body)
	hook := map[string]json.RawMessage{}
	if raw, given := fields["webHookConfig"]; given {
		hook = object(raw)
	}
	if fields == nil || hook == nil {
		return b, false
	}
	b.filter = ".*"
	for _, field := range []struct {
		raw  json.RawMessage
		into *string
	}{
		{fields["id"], &b.id}, {fields["topic"], &b.topic}, {fields["filter"], &b.filter},
		{hook["endpoint"], &b.endpoint},
	} {
		if field.raw != nil && json.Unmarshal(field.raw, field.into) != nil {
			return b, false
		}
	}
	b.readOnly = slices.ContainsFunc(readOnlyFields, func(name string) bool { return fields[name] != nil })
	return b, true
}

// subscriptionIDOf reads the id of a PUT body for the log, "" if it has none.
func subscriptionIDOf(body []byte) string {
	b, _ := readPut(body)
	return b.id
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
	b, ok := readPut(body)
	if !ok {
		return Subscription{}, refuse(a.Statuses.Invalid, invalidRequest,
			"request body is not a JSON object of the expected form")
	}
	for _, check := range []struct {
		bad     bool
		message string
	}{
		{a.ReadOnlyFields == RejectReadOnly && b.readOnly, "only id, topic, filter and webHookConfig can be set"},
		{b.id == "", "id is required"},
		{!idPattern.MatchString(b.id), "id may contain only lower-case letters, digits, '.' and '-'"},
		{b.id == webhookID, "id must not be 'webhook'"},
		{b.topic == "", "topic is required"},
		{b.endpoint == "", "webHookConfig.endpoint is required"},
		{!validEndpoint(b.endpoint, a.PlainEndpoints), "webHookConfig.endpoint must be an https URL"},
		{a.CheckFilter && !compiles(b.filter), "filter is not a regular expression"},
	} {
		if check.bad {
			return Subscription{}, refuse(a.Statuses.Invalid, invalidRequest, "%s", check.message)
		}
	}
	return Subscription{ID: b.id, Topic: b.topic, Filter: b.filter, Endpoint: b.endpoint}, nil
}

// admit refuses a well-formed subscription that the caller may not have; e.mu is held.
func (e *Emulator) admit(g grant, want Subscription) error {
	status, old := e.assume.Statuses, e.subs[want.ID]
	if !slices.Contains(topicsFor(g.scopes), want.Topic) {
		return refuse(status.TopicNotAllowed, "topic.not.allowed", "application has no access to topic '%s'", want.Topic)
	}
	if old == nil {
		if len(e.subscriptions(g.appID)) >= e.assume.SubscriptionLimit {
			return refuse(status.LimitReached, "subscription.limit.reached",
				"application already has %d subscriptions", e.assume.SubscriptionLimit)
		}
		return nil
	}
	switch {
	case old.ApplicationID != g.appID:
		return refuse(status.IDTaken, "subscription.exists", "Subscription '%s' already exists", want.ID)
	case old.MarkedForDeletion && e.assume.PutMarked == PutRefused:
		return refuse(status.MarkedID, "subscription.marked", "Subscription '%s' is marked for deletion", want.ID)
	case old.Topic != want.Topic && !e.assume.TopicChange:
		return refuse(status.Invalid, invalidRequest, "topic cannot be changed")
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

func compiles(filter string) bool {
	_, err := regexp.Compile(filter)
	return err == nil
}
