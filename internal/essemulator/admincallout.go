package essemulator

import (
	"fmt"
	"io"
	"net/http"

	"github.com/ess-operator/ess-operator/internal/essemulator/callout"
)

// calloutRoutes is the part of the admin API that is about callouts.
func calloutRoutes() []adminRoute {
	return []adminRoute{
		{"GET /v1/connectors", "list application connectors, without their passwords", (*Emulator).adminConnectors},
		{"PUT /v1/connectors/{name}", "register or replace one: `host`, `path`, `userName`, `password`, `enabled`, `companyId`",
			(*Emulator).adminPutConnector},
		{"POST /v1/connectors/{name}/test", "press Test Connection; nothing is sent before it succeeds",
			(*Emulator).adminTestConnection},
		{"POST /v1/notifications", "publish one: `eventType`, `objectType`, `objectURI`, `eventTime`, `context`; " +
			"`?company=` or `?connector=` says to whom", (*Emulator).adminNotify},
		{"POST /v1/raw-notifications", "publish the body, byte for byte; to whom as above", (*Emulator).adminNotifyRaw},
		{"GET /v1/notification-samples", "list the built-in notifications", (*Emulator).adminNotificationSamples},
		{"POST /v1/notification-samples/{name}", "publish a built-in notification; to whom as above",
			(*Emulator).adminNotifySample},
		{"GET /v1/callouts", "the ledger: every callout with its attempts", (*Emulator).adminCallouts},
		{"GET /v1/user-tokens", "list what users' tokens allow, without the tokens", (*Emulator).adminUserTokens},
		{"POST /v1/user-tokens", "make one: `user`, `roles`, `companyId`, `expiresAt`, `token`; returns it",
			(*Emulator).adminPutUserToken},
		{"POST /v1/users/{user}/revoke-tokens", "make a user's tokens so far useless", (*Emulator).adminRevokeUser},
	}
}

func (e *Emulator) adminConnectors(*http.Request) (any, error) {
	list := e.callouts.Connectors()
	for i := range list {
		list[i].Password = ""
	}
	return list, nil
}

func (e *Emulator) adminPutConnector(r *http.Request) (any, error) {
	var c callout.Connector
	if err := decode(r, &c); err != nil {
		return nil, err
	}
	name := r.PathValue("name")
	if c.Name != "" && c.Name != name {
		return nil, fmt.Errorf("putting connector %s: the body names %s: %w", name, c.Name, ErrInvalid)
	}
	c.Name = name
	return nil, e.callouts.PutConnector(c)
}

// tested is the answer to a test of a connection.
type tested struct {
	Verified bool `json:"verified"`
	callout.Attempt
}

func (e *Emulator) adminTestConnection(r *http.Request) (any, error) {
	try, err := e.callouts.TestConnection(r.Context(), r.PathValue("name"))
	return tested{err == nil && try.Error == "" && try.Status == http.StatusOK, try}, err
}

// notified is the answer to a publication.
type notified struct {
	Callouts int `json:"callouts"`
}

// target reads to whom a notification goes.
func target(r *http.Request) callout.Target {
	query := r.URL.Query()
	return callout.Target{CompanyID: query.Get("company"), Connector: query.Get("connector")}
}

func (e *Emulator) adminNotify(r *http.Request) (any, error) {
	var n callout.Notification
	if err := decode(r, &n); err != nil {
		return nil, err
	}
	count, err := e.callouts.Publish(target(r), n)
	return notified{count}, err
}

func (e *Emulator) adminNotifyRaw(r *http.Request) (any, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the notification: %w: %w", err, ErrInvalid)
	}
	count, err := e.callouts.PublishRaw(target(r), body)
	return notified{count}, err
}

func (e *Emulator) adminNotificationSamples(*http.Request) (any, error) {
	return callout.Samples(), nil
}

func (e *Emulator) adminNotifySample(r *http.Request) (any, error) {
	body, err := callout.Sample(r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	count, err := e.callouts.PublishRaw(target(r), body)
	return notified{count}, err
}

// calloutLine is a Callout as people read it.
type calloutLine struct {
	callout.Callout
	Body string `json:"body"`
}

func (e *Emulator) adminCallouts(*http.Request) (any, error) {
	lines := []calloutLine{}
	for _, c := range e.callouts.Ledger() {
		lines = append(lines, calloutLine{c, string(c.Body)})
	}
	return lines, nil
}

func (e *Emulator) adminUserTokens(*http.Request) (any, error) { return e.UserTokens(), nil }

func (e *Emulator) adminPutUserToken(r *http.Request) (any, error) {
	var body struct {
		UserToken
		Token string `json:"token"`
	}
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	token, err := e.PutUserToken(body.Token, body.UserToken)
	return map[string]string{"token": token}, err
}

func (e *Emulator) adminRevokeUser(r *http.Request) (any, error) {
	e.RevokeUserTokens(r.PathValue("user"))
	return nil, nil
}
