package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/ess-operator/ess-operator/controllers"
)

// options are the flags.
type options struct {
	controllers controllers.Options

	watchNamespaces string
	routesSecret    string
	adminSecret     string

	metricsAddress  string
	metricsSecure   bool
	metricsCertPath string
	probeAddress    string
	enableHTTP2     bool

	leaderElect          bool
	leaderElectNamespace string
	leaderElectID        string

	logLevel  slog.Level
	logFormat string
	version   bool
}

// parse reads the flags into options.
func parse(flags *flag.FlagSet, args []string) (options, error) {
	var o options
	flags.StringVar(&o.controllers.AllowedHosts, "allowed-hosts", controllers.DefaultAllowedHosts,
		"Hosts that a ConcurConnection may name, separated by commas; a leading *. stands for any subdomain.")
	flags.StringVar(&o.controllers.ReceiverURL, "receiver-url", "",
		"Public https URL of the companion receiver; needed by EventSubscriptions with spec.endpoint.receiver.")
	flags.StringVar(&o.routesSecret, "receiver-routes-secret", "",
		"Secret to write the companion receiver's routes to, as namespace/name. It must exist.")
	flags.StringVar(&o.controllers.ReceiverAdmin.URL, "receiver-admin-url", "",
		"https URL of the companion receiver's admin port, to ask it for statistics.")
	flags.StringVar(&o.adminSecret, "receiver-admin-secret", "",
		"Secret to fill with token and certificate of the admin port, and to read them from, as namespace/name. It must exist.")
	flags.StringVar(&o.controllers.ReceiverAdmin.TokenFile, "receiver-admin-token-file", "",
		"File with the token for the admin port. It is read each time.")
	flags.StringVar(&o.controllers.ReceiverAdmin.CAFile, "receiver-admin-ca-file", "",
		"File with the PEM roots to trust at the admin port. Empty: the system's. It is read each time.")
	flags.StringVar(&o.controllers.ReceiverConnectTo, "receiver-connect-to", "",
		"host:port to connect to instead of that of --receiver-url, when recovered notifications are posted to the receiver.")
	flags.StringVar(&o.controllers.ReceiverCAFile, "receiver-ca-file", "",
		"File with the PEM roots to trust there. Empty: the system's. It is read each time.")
	flags.BoolVar(&o.controllers.CrossNamespaceSinks, "cross-namespace-sinks", false,
		"Let a sink, or a dead letter sink, refer to an object in another namespace.")
	flags.StringVar(&o.controllers.PathPrefix, "ess-path-prefix", "",
		"Path of the ESS API below its base URL. Empty: /events/v4.")
	flags.IntVar(&o.controllers.Concurrency, "max-concurrent-reconciles", controllers.DefaultConcurrency,
		"How many objects of one kind are reconciled at once.")
	flags.StringVar(&o.watchNamespaces, "watch-namespaces", "",
		"Namespaces to watch, separated by commas. Empty: all. One in which the manager may not read is left out until it may.")
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", "0",
		"Address of the metrics endpoint, such as :8443. 0 turns it off.")
	flags.BoolVar(&o.metricsSecure, "metrics-secure", true,
		"Serve metrics over HTTPS, to callers whom the cluster authorises.")
	flags.StringVar(&o.metricsCertPath, "metrics-cert-path", "",
		"Directory of tls.crt and tls.key for the metrics endpoint. Empty: a self-signed certificate.")
	flags.StringVar(&o.probeAddress, "health-probe-bind-address", ":8081",
		"Address of the endpoints /healthz and /readyz. 0 turns them off.")
	flags.BoolVar(&o.enableHTTP2, "enable-http2", false, "Serve metrics over HTTP/2 too.")
	flags.BoolVar(&o.leaderElect, "leader-elect", false,
		"Work only while holding a Lease, so that one of several managers is active.")
	flags.StringVar(&o.leaderElectNamespace, "leader-election-namespace", "",
		"Namespace of the Lease. Empty: the manager's own; outside a cluster it must be given.")
	flags.StringVar(&o.leaderElectID, "leader-election-id", "manager.concur.ess-operator.io",
		"Name of the Lease: one for each of several operators in a namespace.")
	flags.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "Least level to log: debug, info, warn or error.")
	flags.StringVar(&o.logFormat, "log-format", "json", "json or text.")
	flags.BoolVar(&o.version, "version", false, "Print the version and exit.")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	return o, o.validate(flags.Args())
}

// manager are the settings of controller-runtime's manager.
func (o *options) manager(scheme *runtime.Scheme) ctrl.Options {
	metrics := metricsserver.Options{BindAddress: o.metricsAddress, SecureServing: o.metricsSecure, CertDir: o.metricsCertPath}
	if o.metricsSecure {
		metrics.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	if !o.enableHTTP2 {
		metrics.TLSOpts = append(metrics.TLSOpts, func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} })
	}
	caches := controllers.CacheOptions()
	caches.DefaultNamespaces = o.cached()
	return ctrl.Options{
		Scheme:                        scheme,
		Cache:                         caches,
		Client:                        controllers.ClientOptions(),
		Metrics:                       metrics,
		HealthProbeBindAddress:        o.probeAddress,
		LeaderElection:                o.leaderElect,
		LeaderElectionID:              o.leaderElectID,
		LeaderElectionNamespace:       o.leaderElectNamespace,
		LeaderElectionReleaseOnCancel: true, // main returns as soon as the manager stops
		GracefulShutdownTimeout:       new(time.Minute),
	}
}

// setLogger makes one slog handler the sink of every logger in the process.
func (o *options) setLogger(w io.Writer) {
	settings := &slog.HandlerOptions{Level: o.logLevel}
	var handler slog.Handler = slog.NewJSONHandler(w, settings)
	if o.logFormat == "text" {
		handler = slog.NewTextHandler(w, settings)
	}
	logger := logr.FromSlogHandler(handler)
	ctrl.SetLogger(logger)
	klog.SetLogger(logger)
}

// cacheSynced is ready once the cache has read everything.
func cacheSynced(ctx context.Context, mgr ctrl.Manager) healthz.Checker {
	return func(r *http.Request) error {
		wait, cancel := context.WithTimeout(r.Context(), time.Second)
		defer cancel()
		if ctx.Err() != nil || !mgr.GetCache().WaitForCacheSync(wait) {
			return errors.New("the cache is not synced")
		}
		return nil
	}
}
