// Package controllers composes the controllers of the operator: the only place
// that knows them all. Each controller has a package of its own; what they
// share lies in internal beside them.
package controllers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/applicationconnector"
	"github.com/ess-operator/ess-operator/controllers/connection"
	"github.com/ess-operator/ess-operator/controllers/eventsubscription"
	"github.com/ess-operator/ess-operator/controllers/internal/index"
	"github.com/ess-operator/ess-operator/controllers/internal/login"
	"github.com/ess-operator/ess-operator/controllers/internal/record"
	"github.com/ess-operator/ess-operator/controllers/internal/sink"
	"github.com/ess-operator/ess-operator/controllers/internal/telemetry"
	"github.com/ess-operator/ess-operator/controllers/internal/wake"
	"github.com/ess-operator/ess-operator/controllers/statistics"
	"github.com/ess-operator/ess-operator/internal/session"
)

// Name is what the operator calls itself in events and user agents.
const Name = "ess-operator"

// Options are the operator's own settings; the zero value is usable.
type Options struct {
	// AllowedHosts lists the hosts that a connection may name, as
	// "*.concursolutions.com,localhost". Empty: DefaultAllowedHosts.
	AllowedHosts string
	// ReceiverURL is the public base URL of the companion receiver; empty when there is none.
	ReceiverURL string
	// ReceiverAdmin is the admin port of the receiver; without a URL nobody asks it for statistics.
	ReceiverAdmin statistics.Receiver
	// AdminSecret names the Secret that is filled with token and certificate of the admin port, and read to get in
	// there; empty when others do that. It needs the URL of ReceiverAdmin.
	AdminSecret types.NamespacedName
	// RoutesSecret names the Secret that the receiver's routes are written to; empty when there is none.
	RoutesSecret types.NamespacedName
	// ReceiverConnectTo is host:port to connect to instead of that of ReceiverURL, when notifications that failed are
	// posted to the receiver; empty: that of ReceiverURL. ReceiverCAFile holds the roots to trust there; empty: the system's.
	ReceiverConnectTo, ReceiverCAFile string
	// CrossNamespaceSinks lets a sink refer to an object in another namespace.
	CrossNamespaceSinks bool
	// PathPrefix of the ESS API; empty for the documented one.
	PathPrefix string
	// Namespaces are those that are watched; none means all. If there are any,
	// objects outside them, and namespaces themselves, may not be read.
	Namespaces []string
	// LeftOut are namespaces that should be watched and may not be read at present:
	// what the receiver knows of them stays as it is.
	LeftOut []string
	// Concurrency is how many objects of a kind are reconciled at once; 0: DefaultConcurrency.
	Concurrency int
	// SkipNameValidation lets several managers run in one process, in tests.
	SkipNameValidation bool
	// Clock tells the time by which deletions are given up, failures are tried
	// again and ESS is listed; nil: the system's. Tests push it forward.
	Clock clock.PassiveClock
	// StatisticsInterval is how often the receiver is asked for statistics; 0: statistics.Interval. For tests.
	StatisticsInterval time.Duration
	// SinkInterval is how often a sink is asked again that has to be asked where it is; 0: sink.Interval. For tests.
	SinkInterval time.Duration
	// WrapConcur wraps the transport of every call to SAP Concur, next to the
	// wire: below the budget, and once for each attempt. Nil: nothing is wrapped.
	WrapConcur func(http.RoundTripper) http.RoundTripper
}

// DefaultConcurrency is many, because most of them wait: for the budget of an
// application, or for a data center that hangs. Others must not wait behind them.
const DefaultConcurrency = 64

// DefaultAllowedHosts are the hosts of SAP Concur's data centers (SAP Concur, "Base URIs").
const DefaultAllowedHosts = "*.concursolutions.com,*.concurcdc.cn"

// CacheOptions keep the cache small: of Secrets and Namespaces only metadata is
// watched, and of that only what is looked at.
func CacheOptions() cache.Options {
	return cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject:         map[client.Object]cache.ByObject{&corev1.Secret{}: {Transform: keepName}},
	}
}

// keepName keeps of the metadata of a Secret what tells that it changed. There
// may be thousands that are none of our business, and what kubectl apply
// writes into an annotation is the Secret itself.
func keepName(o any) (any, error) {
	secret, ok := o.(*metav1.PartialObjectMetadata)
	if !ok {
		return o, nil // the mark of a deletion that was missed
	}
	return &metav1.PartialObjectMetadata{TypeMeta: secret.TypeMeta, ObjectMeta: metav1.ObjectMeta{
		Namespace: secret.Namespace, Name: secret.Name, UID: secret.UID, ResourceVersion: secret.ResourceVersion,
	}}, nil
}

// ClientOptions make reads see the operator's own writes, and keep Secrets out of the cache.
func ClientOptions() client.Options {
	return client.Options{Cache: &client.CacheOptions{
		DisableFor:                      []client.Object{&corev1.Secret{}},
		EnableReadYourWritesConsistency: new(true),
	}}
}

// Validate returns an error that says which option cannot be used.
func (o Options) Validate() error {
	_, hostsErr := connection.ParseHosts(cmp.Or(o.AllowedHosts, DefaultAllowedHosts))
	_, urlErr := parseURL("the receiver URL", o.ReceiverURL)
	_, adminErr := parseURL("the receiver's admin URL", o.ReceiverAdmin.URL)
	return errors.Join(hostsErr, urlErr, adminErr, o.validateConnectTo())
}

// validateConnectTo refuses what cannot be connected to, or has nothing to stand for.
func (o Options) validateConnectTo() error {
	if o.ReceiverURL == "" && (o.ReceiverConnectTo != "" || o.ReceiverCAFile != "") {
		return errors.New("--receiver-connect-to and --receiver-ca-file need --receiver-url")
	}
	if o.ReceiverConnectTo == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(o.ReceiverConnectTo)
	if err != nil || host == "" || !isPort(port) {
		return fmt.Errorf("--receiver-connect-to is %q: use host:port, such as receiver.ess-operator-system.svc:8443", o.ReceiverConnectTo)
	}
	return nil
}

// Setup registers everything with a manager that was made with CacheOptions and ClientOptions.
func Setup(ctx context.Context, mgr ctrl.Manager, options Options) error {
	hosts, err := connection.ParseHosts(cmp.Or(options.AllowedHosts, DefaultAllowedHosts))
	if err != nil {
		return err
	}
	receiverURL, err := parseURL("the receiver URL", options.ReceiverURL)
	if err != nil {
		return err
	}
	if options.ReceiverAdmin.URL, err = parseURL("the receiver's admin URL", options.ReceiverAdmin.URL); err != nil {
		return err
	}
	if err := index.Add(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	var (
		clk        = options.clock()
		sessions   = session.NewRegistry(clk.Now, session.ObserveWaits(telemetry.ObserveWait))
		dependents = wake.NewBell()
		suspicions = wake.NewBell()
		recorder   = record.New(mgr.GetEventRecorder(Name), namespacesOf(mgr, options))
	)
	connections := connection.New(connection.Config{
		Client: mgr.GetClient(), Metadata: mgr.GetCache(), Live: mgr.GetAPIReader(), Sessions: sessions,
		Suspicions: suspicions, Dependents: dependents, Events: recorder,
		Hosts: hosts, PathPrefix: options.PathPrefix, Clock: clk, Wrap: options.WrapConcur,
	})
	if err := connections.SetupWithManager(mgr, options.controller()); err != nil {
		return fmt.Errorf("setting up the controller of ConcurConnections: %w", err)
	}
	sinks := sink.Resolver{Live: mgr.GetAPIReader(), Crossing: options.CrossNamespaceSinks, Interval: options.SinkInterval}
	config := eventsubscription.Config{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Sessions: sessions, Dependents: dependents, Suspicions: suspicions,
		Events: recorder, ReceiverURL: receiverURL, Namespaces: options.Namespaces, Clock: clk, Sinks: sinks,
	}
	callouts := applicationconnector.Config{
		Client: mgr.GetClient(), Book: login.NewBook(mgr.GetAPIReader()), Sinks: sinks, Events: recorder, Clock: clk,
		Recovered: wake.NewBell(), Changed: wake.NewBell(), Routed: wake.NewBell(),
		ReceiverURL: receiverURL, HasRoutes: options.RoutesSecret.Name != "",
	}
	if err := options.addStatistics(mgr, &config, &callouts); err != nil {
		return err
	}
	err = whenServed(ctx, mgr, v1alpha1.GroupVersion.WithKind("ApplicationConnector"), func(ctx context.Context) error {
		return options.addCallouts(ctx, mgr, hosts.Allow, callouts)
	})
	if err != nil {
		return err
	}
	subscriptions := eventsubscription.New(config)
	if err := subscriptions.SetupWithManager(mgr, options.controller()); err != nil {
		return fmt.Errorf("setting up the controller of EventSubscriptions: %w", err)
	}
	return telemetry.Register(mgr.GetClient(), sessions, clk)
}

// namespacesOf reads namespaces, unless the manager may not.
func namespacesOf(mgr ctrl.Manager, options Options) client.Reader {
	if len(options.Namespaces) > 0 {
		return nil
	}
	return mgr.GetClient()
}

// clock is the clock to go by.
func (o Options) clock() clock.PassiveClock {
	if o.Clock == nil {
		return clock.RealClock{}
	}
	return o.Clock
}

// controller are the settings of one controller.
func (o Options) controller() controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: cmp.Or(o.Concurrency, DefaultConcurrency),
		SkipNameValidation:      &o.SkipNameValidation,
		UsePriorityQueue:        new(true),
		EnableWarmup:            new(true), // a standby has read everything when its time comes
		// This back-off is for trouble with the API server. That with Concur
		// is kept in status and in the session.
		RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](50*time.Millisecond, time.Minute),
	}
}

// parseURL returns a URL without a slash at its end; what says which it is.
func parseURL(what, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || u.String() != text || !isBase(u) { // what is written otherwise holds characters that no URL has
		return "", fmt.Errorf("reading %s %q: it must be like https://events.example.com (http only for loopback hosts)", what, text)
	}
	return strings.TrimRight(text, "/"), nil
}

// isBase reports whether paths can be appended to a URL, to call what is there over TLS, or this machine itself.
func isBase(u *url.URL) bool {
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Hostname() == "" || u.Port() != "" && !isPort(u.Port()) {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname())
}

// isPort reports whether a text is the number of a port that can be called.
func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

// loopback reports whether a host is this machine itself.
func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
