package route

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/strictyaml"
)

// Parse reads a routes file. One that says nothing is refused, for it may have been cut off: a table without
// routes is `subscriptions: []`. The error is a [*strictyaml.Error] with everything that is wrong, and holds
// no credential.
func Parse(data []byte) (*Table, error) {
	var f file
	p := &parser{
		Document: strictyaml.Decode(data, &f),
		names:    map[event.RouteID]string{},
		users:    map[string]string{},
	}
	if f.Subscriptions == nil && f.Connectors == nil && p.Err() == nil {
		p.refuse("", "it says nothing: write `subscriptions: []` where there are no routes")
	}
	var routes []Route
	for i, s := range f.Subscriptions {
		routes = append(routes, p.subscription(fmt.Sprintf("subscriptions[%d]", i), s))
	}
	var connectors []Connector
	for i, c := range f.Connectors {
		connectors = append(connectors, p.connector(fmt.Sprintf("connectors[%d]", i), c))
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	return NewTable(routes, connectors), nil
}

// parser turns entries into routes, and refuses what cannot be one.
type parser struct {
	*strictyaml.Document
	names map[event.RouteID]string // the path that used each first
	users map[string]string
}

func (p *parser) subscription(at string, s subscription) Route {
	r := Route{
		ID:             p.id(at, event.RouteID{Kind: event.Subscription, Namespace: s.Namespace, Name: s.Name}),
		SubscriptionID: s.SubscriptionID,
		Source:         p.source(at+".source", s.Source),
		Sink:           p.sink(at+".sink", s.Sink),
		AwaitSink:      s.AwaitSink,
		Delivery:       p.delivery(at+".delivery", s.Delivery),
	}
	if r.SubscriptionID == "" && !p.Has(at+".subscriptionID") {
		r.SubscriptionID = s.Namespace + "." + s.Name
	}
	p.subscriptionID(at+".subscriptionID", r.SubscriptionID)
	p.awaiting(at, s.Sink, s.AwaitSink)
	return r
}

func (p *parser) connector(at string, c connector) Connector {
	if c.Path == "" && !p.Has(at+".path") {
		c.Path = DefaultNotifyPath
	}
	p.notifyPath(at+".path", c.Path)
	p.awaiting(at, c.Sink, c.AwaitSink)
	return Connector{
		ID:          p.id(at, event.RouteID{Kind: event.Connector, Namespace: c.Namespace, Name: c.Name}),
		Path:        c.Path,
		Credentials: p.credentials(at, c.Credentials),
		Sink:        p.sink(at+".sink", c.Sink),
		AwaitSink:   c.AwaitSink,
		Delivery:    p.delivery(at+".delivery", c.Delivery),
	}
}

// id checks that names are such as Kubernetes has, which makes paths unambiguous, and used once.
func (p *parser) id(at string, id event.RouteID) event.RouteID {
	if len(validation.IsDNS1123Label(id.Namespace)) > 0 {
		p.refuse(at+".namespace", "must be a name such as Kubernetes has for namespaces: up to 63 lower-case letters, digits and '-'")
	}
	if len(validation.IsDNS1123Subdomain(id.Name)) > 0 {
		p.refuse(at+".name", "must be a name such as Kubernetes has for objects: up to 253 lower-case letters, digits, '-' and '.'")
	}
	if p.Wrong(at+".namespace") || p.Wrong(at+".name") {
		return id
	}
	if first, ok := p.names[id]; ok {
		p.Refuse(at+".name", "%s has this namespace and name already: take one of the two away, or rename it", first)
	} else {
		p.names[id] = at
	}
	return id
}

// subscriptionIDs is the form that ESS asks for (SAP Concur, Event Subscription Service v4, Get Started); the
// longest is that made of a namespace, a dot and a name.
var subscriptionIDs = regexp.MustCompile(`^[a-z0-9.-]{1,317}$`)

func (p *parser) subscriptionID(at, id string) {
	switch {
	case p.Wrong(strings.TrimSuffix(at, ".subscriptionID")+".name") && !p.Has(at):
		// The default is made of a name that has been refused already.
	case !subscriptionIDs.MatchString(id):
		p.refuse(at, "must be the id at ESS: lower-case letters, digits, '.' and '-'")
	case id == "webhook":
		p.refuse(at, "must not be \"webhook\", which has another meaning at ESS")
	}
}

// source returns the base URI of a data center without a slash at its end.
func (p *parser) source(at, text string) string {
	_, ok := p.uri(at, text, "the base URI of the data center, such as https://us2.api.concursolutions.com")
	if !ok {
		return ""
	}
	return strings.TrimRight(text, "/")
}

func (p *parser) notifyPath(at, path string) {
	switch u, err := url.Parse(path); {
	case err != nil || u.Path != path || !strings.HasPrefix(path, "/") || len(path) > maxURI || strings.Contains(path, "//"):
		p.refuse(at, "must be a plain path such as "+DefaultNotifyPath)
	case strings.HasPrefix(path+"/", EventsPrefix) || strings.HasPrefix(path+"/", SystemPrefix):
		p.refuse(at, "must lie outside /events/ and /system/, which the receiver needs for itself")
	}
}

// credentials checks user names and passwords, without a word of them in any message.
func (p *parser) credentials(at string, all []credential) []Credential {
	if len(all) == 0 {
		p.refuse(at+".credentials", "needs at least one username and password, as typed into Concur's page Register Application Connector")
	}
	var out []Credential
	for i, c := range all {
		here := fmt.Sprintf("%s.credentials[%d]", at, i)
		if c.Username == "" || strings.Contains(c.Username, ":") || !printable(c.Username) {
			p.refuse(here+".username", "must not be empty, nor hold ':' or control characters, which HTTP Basic cannot carry")
		}
		if c.Password == "" || !printable(c.Password) {
			p.refuse(here+".password", "must not be empty, nor hold control characters, which HTTP Basic cannot carry")
		}
		switch first, ok := p.users[c.Username]; {
		case !ok:
			p.users[c.Username] = at
		case first != at:
			p.refuse(here+".username", "is that of "+first+" too: give each connector its own, because the user name tells them apart")
		}
		out = append(out, Credential{Username: c.Username, Password: c.Password, ValidUntil: time.Time(c.ValidUntil)})
	}
	return out
}

func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// refuse notes a problem, unless there is one already at that very place.
func (p *parser) refuse(at, message string) {
	if !p.Wrong(at) {
		p.Refuse(at, "%s", message)
	}
}
