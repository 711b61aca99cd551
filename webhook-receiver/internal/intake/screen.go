package intake

import (
	"errors"
	"net/http"
	urlpath "path"
	"strings"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

// screen finds out whose delivery a request is, as far as path, method and credentials tell, and how it ends if that
// is all there is to it; empty: it goes on. A stranger can make up paths but no routes: of what is nobody's, to has
// the kind alone.
func screen(t *route.Table, r *http.Request) (to route.Route, how result, err error) {
	to, known := t.ByPath(r.URL.Path)
	switch {
	case belowEvents(r.URL.Path):
		to.ID.Kind = event.Subscription
		how = posted(t, r, known)
	case t.Notifies(r.URL.Path):
		return notification(t, r)
	case t == nil && r.Method == http.MethodPost && !strings.HasPrefix(r.URL.Path+"/", route.SystemPrefix):
		to.ID.Kind = event.Connector
		how = noRoutes // any path may be a connector's: nobody knows yet
	default:
		how = notOurs
	}
	return to, how, nil
}

// belowEvents tells whether somebody meant a path of events, however they wrote it: with two slashes, say, because a
// URL that ends with one was put before it.
func belowEvents(path string) bool {
	return strings.HasPrefix(path+"/", route.EventsPrefix) || strings.HasPrefix(urlpath.Clean("/"+path)+"/", route.EventsPrefix)
}

// posted tells what is no event of ESS, or for nobody known.
func posted(t *route.Table, r *http.Request, known bool) result {
	switch {
	case r.Method != http.MethodPost:
		return wrongMethod
	case t == nil:
		return noRoutes
	case !known:
		return unknownRoute
	}
	return ""
}

// notification finds the connector of a callout. That is done before its body is read, which costs more.
func notification(t *route.Table, r *http.Request) (to route.Route, how result, err error) {
	if r.Method != http.MethodPost {
		return to, wrongMethod, nil
	}
	c, err := login(t, r)
	if err == nil && c.Path != r.URL.Path {
		err = errOtherPath
	}
	if err != nil {
		how = wrongCredentials
	}
	to = c.Route()
	to.ID.Kind = event.Connector
	return to, how, err
}

// Why a caller is no connector's, for the log. None of them holds what the caller sent.
var (
	errNoCredentials = errors.New("logging in: there is no user name and password")
	errUnknownUser   = errors.New("logging in: no connector has this user name")
	errWrongPassword = errors.New("logging in: the connector with this user name has another password")
	errOtherPath     = errors.New("logging in: the connector with these credentials has another path")
)

// login returns the connector whose credentials the caller shows. With errWrongPassword it is the one with the user
// name, so that the refusal can be told to its owner.
func login(t *route.Table, r *http.Request) (route.Connector, error) {
	username, password, shown := r.BasicAuth()
	c, ok := t.ByLogin(username, password) // also of nothing, which takes as long as any other
	switch {
	case ok:
		return c, nil
	case !shown:
		return route.Connector{}, errNoCredentials
	case c.ID == event.RouteID{}:
		return c, errUnknownUser
	}
	return c, errWrongPassword
}
