package ess

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

const (
	subscriptionsPath = "/subscriptions"
	// The path of PUT, and in some guides another name of the list: no id may be the same.
	webhookPath = subscriptionsPath + "/webhook"
)

// Subscription is a webhook subscription as ESS shows it ("SAP Concur, Event Topics, Subscription Management").
type Subscription struct {
	// ID names the subscription, unique among all applications.
	ID string
	// Topic is the topic subscribed to.
	Topic string
	// Filter is a regular expression on the event type; ".*" passes all. ESS does not document its dialect.
	Filter string
	// Endpoint is the https URL that events are posted to.
	Endpoint string

	// ApplicationID is the owner. Like all that follows it is set by ESS and never sent.
	ApplicationID string
	// CompanyIDs are the companies whose events are delivered; nil when there are none, and then nothing is.
	CompanyIDs []string
	// Groups restrict delivery to these groups; nil restricts nothing.
	Groups []string
	// Scope is reserved by ESS.
	Scope string
}

// wireSubscription is the JSON form. Members that ESS adds are ignored.
type wireSubscription struct {
	ID            string      `json:"id"`
	Topic         string      `json:"topic"`
	Filter        string      `json:"filter"`
	WebHookConfig wireWebHook `json:"webHookConfig"`
	ApplicationID string      `json:"applicationId,omitempty"`
	CompanyIDs    []string    `json:"companyIds,omitempty"`
	Groups        []string    `json:"groups,omitempty"`
	Scope         string      `json:"scope,omitempty"`
}

type wireWebHook struct {
	Endpoint string `json:"endpoint"`
}

func (w wireSubscription) subscription() Subscription {
	return Subscription{
		ID: w.ID, Topic: w.Topic, Filter: w.Filter, Endpoint: w.WebHookConfig.Endpoint,
		ApplicationID: w.ApplicationID, CompanyIDs: filled(w.CompanyIDs), Groups: filled(w.Groups), Scope: w.Scope,
	}
}

func filled(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}

// Subscriptions returns all subscriptions of the application, those marked for deletion perhaps included.
func (c *Client) Subscriptions(ctx context.Context) ([]Subscription, error) {
	r := request{name: "list", doing: "listing subscriptions", method: http.MethodGet, path: subscriptionsPath}
	a, err := c.call(ctx, r)
	if err != nil {
		return nil, err
	}
	list, err := decodeSubscriptions(a.body)
	if err != nil {
		return nil, c.malformed(r, a, err)
	}
	return list, nil
}

// Subscription returns one subscription of the application, or ErrNotFound: for 404, which is how ESS is assumed to
// say so, and for an answer that holds no subscription of this id.
func (c *Client) Subscription(ctx context.Context, id string) (Subscription, error) {
	r := request{
		name: "get", doing: "reading subscription " + id, id: id,
		method: http.MethodGet, path: subscriptionsPath + "/" + url.PathEscape(id),
	}
	if err := checkID(r); err != nil {
		return Subscription{}, err
	}
	a, err := c.call(ctx, r)
	if err != nil {
		return Subscription{}, err
	}
	s, err := decodeSubscription(a.body, id)
	switch {
	case errors.Is(err, errAbsent):
		return Subscription{}, &Error{Kind: ErrNotFound, Op: r.doing, Status: a.status, CorrelationID: a.correlationID}
	case err != nil:
		return Subscription{}, c.malformed(r, a, err)
	}
	return s, nil
}

// Put creates the subscription or replaces topic, filter and endpoint of the application's own one. It may be repeated.
// A refusal is ErrInvalid, ErrForbidden, ErrTaken or ErrQuota; which of them rests in part on Config.Patterns.
func (c *Client) Put(ctx context.Context, s Subscription) error {
	r := request{
		name: "put", doing: "saving subscription " + s.ID, id: s.ID, method: http.MethodPut, path: webhookPath,
	}
	if err := checkID(r); err != nil {
		return err
	}
	wire := wireSubscription{ID: s.ID, Topic: s.Topic, Filter: s.Filter, WebHookConfig: wireWebHook{Endpoint: s.Endpoint}}
	body, err := json.Marshal(wire)
	if err != nil {
		return &Error{Kind: ErrInvalid, Op: r.doing, Detail: "not expressible as JSON", Cause: err}
	}
	r.body = body
	_, err = c.call(ctx, r) // the message in the answer only repeats the id
	return err
}

// Delete asks ESS to delete the subscription. ESS does so later: it is gone only when a read says so.
// A subscription that does not exist is success.
func (c *Client) Delete(ctx context.Context, id string) error {
	r := request{
		name: "delete", doing: "deleting subscription " + id, id: id,
		method: http.MethodDelete, path: subscriptionsPath + "/" + url.PathEscape(id),
	}
	if err := checkID(r); err != nil {
		return err
	}
	if _, err := c.call(ctx, r); !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}

// checkID refuses ids that would address something else than one subscription.
func checkID(r request) error {
	switch r.id {
	case "", ".", "..", "webhook":
		return &Error{Kind: ErrInvalid, Op: r.doing, Detail: fmt.Sprintf("%q cannot be the id of a subscription", r.id)}
	}
	return nil
}

// errAbsent is a readable answer without the subscription asked for.
var errAbsent = errors.New("absent")

// decodeSubscription accepts both documented answers, an array of one (the reference pages) and an object (the Swagger file).
func decodeSubscription(body []byte, id string) (Subscription, error) {
	var list []wireSubscription
	switch trimmed := bytes.TrimSpace(body); {
	case bytes.HasPrefix(trimmed, []byte("[")):
		if err := json.Unmarshal(body, &list); err != nil {
			return Subscription{}, errors.New("want a subscription as object or array")
		}
	case bytes.HasPrefix(trimmed, []byte("{")):
		list = make([]wireSubscription, 1)
		if err := json.Unmarshal(body, &list[0]); err != nil {
			return Subscription{}, errors.New("want a subscription as object or array")
		}
	default:
		return Subscription{}, errors.New("want a subscription as object or array")
	}
	for _, w := range list {
		if w.ID == id {
			return w.subscription(), nil
		}
	}
	return Subscription{}, errAbsent
}

// decodeSubscriptions takes null and elements without id as malformed: to read them as "nothing there"
// would make a caller create everything anew.
func decodeSubscriptions(body []byte) ([]Subscription, error) {
	var wire []wireSubscription
	if err := json.Unmarshal(body, &wire); err != nil || wire == nil {
		return nil, errors.New("want an array of subscriptions")
	}
	list := make([]Subscription, 0, len(wire))
	for _, w := range wire {
		if w.ID == "" {
			return nil, errors.New("want an id in every subscription")
		}
		list = append(list, w.subscription())
	}
	return list, nil
}

// malformed reports a successful answer that could not be read. A body that is JSON is not quoted, as it may
// hold endpoints with secrets in their query.
func (c *Client) malformed(r request, a answer, err error) error {
	detail := err.Error()
	switch trimmed := bytes.TrimSpace(a.body); {
	case len(trimmed) == 0:
		detail += ", got an empty body"
	case !bytes.ContainsAny(trimmed[:1], "{["):
		detail += ", got " + string(trimmed)
	}
	return &Error{
		Kind: ErrMalformed, Op: r.doing, Status: a.status, CorrelationID: a.correlationID, Detail: c.scrub.line(detail),
	}
}
