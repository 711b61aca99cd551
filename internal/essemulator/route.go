package essemulator

import (
	"net/http"
	"strings"
)

// Operations of Concur's face, as [Fault.Operation] and [Request.Operation] name them.
const (
	OpToken  = "token"
	OpJWKS   = "jwks"
	OpTopics = "topics"
	OpList   = "list"
	OpGet    = "get"
	OpPut    = "put"
	OpDelete = "delete"
	// The Failed Notifications API.
	OpFailedList   = "failed-list"
	OpFailedDelete = "failed-delete"

	OpUnknown = "unknown" // no such path, or the method does not fit it
)

// webhookID cannot be a subscription's id: it is the path of PUT and another name of the list.
const webhookID = "webhook"

// route is what a method and path ask for.
type route struct {
	op          string
	subID       string
	notifyID    string // of a notification
	wrongMethod bool   // the path exists, the method does not fit
}

// routeOf finds the operation. Concur's pages write paths with and without /events in front of /v4, and
// list subscriptions under two names (Event Subscription Service v4; ESS guide; Postman collection).
func routeOf(method, path string) route {
	if name, ok := strings.CutPrefix(path, "/oauth2/v0/"); ok {
		return tokenRoute(method, name)
	}
	if rest, ok := strings.CutPrefix(path, notificationsPath); ok {
		return notificationRoute(method, rest)
	}
	rest, ok := strings.CutPrefix(strings.TrimPrefix(path, "/events"), "/v4/")
	if !ok {
		return route{op: OpUnknown}
	}
	if rest == "topics" {
		return only(method, http.MethodGet, route{op: OpTopics})
	}
	if rest == "subscriptions" {
		return only(method, http.MethodGet, route{op: OpList})
	}
	id, ok := strings.CutPrefix(rest, "subscriptions/")
	if !ok || id == "" || strings.Contains(id, "/") {
		return route{op: OpUnknown}
	}
	return subscriptionRoute(method, id)
}

func tokenRoute(method, name string) route {
	switch name {
	case "token":
		return only(method, http.MethodPost, route{op: OpToken})
	case "jwks":
		return only(method, http.MethodGet, route{op: OpJWKS})
	}
	return route{op: OpUnknown}
}

func subscriptionRoute(method, id string) route {
	switch {
	case method == http.MethodGet && id == webhookID:
		return route{op: OpList}
	case method == http.MethodPut && id == webhookID:
		return route{op: OpPut}
	case method == http.MethodGet:
		return route{op: OpGet, subID: id}
	case method == http.MethodDelete:
		return route{op: OpDelete, subID: id}
	default:
		return route{op: OpUnknown, wrongMethod: true}
	}
}

// notificationRoute takes what follows notificationsPath. Every text after the slash is taken for an id, since
// a malformed one has an answer of its own.
func notificationRoute(method, rest string) route {
	if rest == "" {
		return only(method, http.MethodGet, route{op: OpFailedList})
	}
	if id, ok := strings.CutPrefix(rest, "/"); ok {
		return only(method, http.MethodDelete, route{op: OpFailedDelete, notifyID: id})
	}
	return route{op: OpUnknown}
}

func only(got, want string, r route) route {
	if got != want {
		return route{op: OpUnknown, wrongMethod: true}
	}
	return r
}
