package routes

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/index"
	"github.com/ess-operator/ess-operator/controllers/internal/login"
	"github.com/ess-operator/ess-operator/controllers/internal/sink"
)

// header begins the file, for whoever reads the Secret.
const header = "# Written by ess-operator from EventSubscriptions and ApplicationConnectors. What is changed here is overwritten.\n"

// file is the routes file.
type file struct {
	Subscriptions []subscription `json:"subscriptions"`
	Connectors    []connector    `json:"connectors,omitempty"`
}

type subscription struct {
	Namespace      string `json:"namespace"`
	Name           string `json:"name"`
	SubscriptionID string `json:"subscriptionID"`
	Source         string `json:"source"`
	way            `json:",inline"`
}

// way is the way of events from the receiver on.
type way struct {
	Sink      *destination `json:"sink,omitempty"`
	AwaitSink bool         `json:"awaitSink,omitempty"`
	Delivery  *delivery    `json:"delivery,omitempty"`
}

type destination struct {
	URI      string `json:"uri"`
	CABundle []byte `json:"caBundle,omitempty"`
}

type delivery struct {
	Retry          *int32                 `json:"retry,omitempty"`
	BackoffPolicy  v1alpha1.BackoffPolicy `json:"backoffPolicy,omitempty"`
	BackoffDelay   string                 `json:"backoffDelay,omitempty"`
	Timeout        string                 `json:"timeout,omitempty"`
	DeadLetterSink *destination           `json:"deadLetterSink,omitempty"`
	Ordering       v1alpha1.Ordering      `json:"ordering,omitempty"`
	Format         v1alpha1.Format        `json:"format,omitempty"`
}

// World is what routes are rendered from.
type World struct {
	Subscriptions []v1alpha1.EventSubscription
	Connections   []v1alpha1.ConcurConnection
	Connectors    []v1alpha1.ApplicationConnector
	// Logins are those of the connectors, as far as they are known. The zero Login says that there is none.
	Logins map[types.NamespacedName]login.Login
	// Now is when credentials that were replaced begin, and cease, to be kept.
	Now time.Time
	// Before is the file as it is; empty or unreadable: nothing is known from it.
	Before []byte
	// CrossNamespaceSinks says that sinks in other namespaces may be referred to.
	CrossNamespaceSinks bool
	// LeftOut are namespaces that may not be read at present, so that nothing above is of them: their routes stay.
	LeftOut []string
}

// Rendered is a routes file.
type Rendered struct {
	Text []byte
	// Count is the number of routes.
	Count int
	// Routed are the connectors in it that may come with their present login.
	Routed map[types.NamespacedName]login.Login
	// Next is when the first of the credentials that are kept has to go; zero: none is kept.
	Next time.Time
	// Incomplete says that not all Secrets could be read.
	Incomplete bool
}

// Render renders the routes file. Equal worlds give equal bytes.
func Render(w World) (Rendered, error) {
	var old file
	if yaml.Unmarshal(w.Before, &old) != nil {
		old = file{} // nothing is known from it
	}
	out := Rendered{}
	all := file{Subscriptions: w.subscriptions(old)}
	all.Connectors, out.Routed, out.Next = w.connectors(old)
	body, err := yaml.Marshal(all)
	if err != nil {
		return Rendered{}, fmt.Errorf("rendering routes: %w", err)
	}
	out.Text, out.Count = append([]byte(header), body...), len(all.Subscriptions)+len(all.Connectors)
	return out, nil
}

// subscriptions are the routes of EventSubscriptions.
func (w World) subscriptions(old file) []subscription {
	sources := w.sources()
	before := old.sources()
	all := w.keptSubscriptions(old)
	for i := range w.Subscriptions {
		sub := &w.Subscriptions[i]
		if sub.Spec.Endpoint.Receiver == nil {
			continue
		}
		source := cmp.Or(sources[index.ConnectionOf(sub)], before[client.ObjectKeyFromObject(sub)])
		if source == "" {
			continue // nothing was subscribed yet: there is no connection
		}
		all = append(all, w.route(sub, source))
	}
	slices.SortFunc(all, func(a, b subscription) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// sources are the base URIs of the data centers, by connection.
func (w World) sources() map[types.NamespacedName]string {
	sources := map[types.NamespacedName]string{}
	for i := range w.Connections {
		conn := &w.Connections[i]
		for _, base := range []string{conn.Status.Geolocation, conn.Spec.APIURL, conn.Spec.BaseURL} {
			if u, err := url.Parse(base); err == nil && u.Host != "" && u.User == nil && u.Fragment == "" && !strings.ContainsFunc(base, invisible) {
				sources[client.ObjectKeyFromObject(conn)] = strings.TrimRight(base, "/")
				break
			}
		}
	}
	return sources
}

// invisible are characters not all of which YAML can hold, so that one would cost all routes.
func invisible(r rune) bool { return !unicode.IsPrint(r) }

// sources are the sources of the routes as they are, for objects whose connection is gone.
func (f file) sources() map[types.NamespacedName]string {
	sources := map[types.NamespacedName]string{}
	for _, s := range f.Subscriptions {
		sources[types.NamespacedName{Namespace: s.Namespace, Name: s.Name}] = s.Source
	}
	return sources
}

// route is the route of one object.
func (w World) route(sub *v1alpha1.EventSubscription, source string) subscription {
	route := subscription{
		Namespace: sub.Namespace, Name: sub.Name, SubscriptionID: sub.EffectiveSubscriptionID(), Source: source,
	}
	route.way = w.way(sub.Namespace, sub.Spec.Sink, &sub.Spec.Delivery, sink.OfSubscription(&sub.Status))
	return route
}

// way is the way of events from the receiver on; last says where its sinks were last found.
func (w World) way(namespace string, to v1alpha1.Sink, spec *v1alpha1.Delivery, last sink.Found) (route way) {
	if to.IsZero() {
		return way{}
	}
	main, found := w.destination(to, sink.Main(namespace, w.CrossNamespaceSinks), last.Sink)
	dead, foundDead := w.destination(spec.DeadLetterSink, sink.DeadLetter(namespace, w.CrossNamespaceSinks), last.DeadLetterSink)
	if !found || !foundDead {
		// Events wait: without the one they could not be delivered, without the other not be given up.
		route.AwaitSink, dead = true, nil
	} else {
		route.Sink = main
	}
	d := delivery{
		Retry: spec.Retry, BackoffPolicy: spec.BackoffPolicy, BackoffDelay: spec.BackoffDelay, Timeout: spec.Timeout,
		DeadLetterSink: dead, Ordering: spec.Ordering, Format: spec.Format,
	}
	if d != (delivery{}) {
		route.Delivery = &d
	}
	return route
}

// destination is where a sink is: as the spec says, or as it was last found.
func (w World) destination(s v1alpha1.Sink, where sink.Where, last sink.Address) (*destination, bool) {
	if s.IsZero() {
		return nil, true
	}
	address, found, err := sink.Of(s, where)
	if err == nil && !found && last.Usable() {
		address, found = last, true
	}
	if err != nil || !found {
		return nil, false
	}
	return &destination{URI: address.URI, CABundle: []byte(address.CACerts)}, true
}
