package resilience_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/ess-operator/ess-operator/controllers"
	"github.com/ess-operator/ess-operator/test/jitter"
)

// childVariable holds the settings of a child, as JSON; its presence makes this binary one.
const childVariable = "RESILIENCE_CHILD"

// childSettings say what manager a child is.
type childSettings struct {
	Kubeconfig string
	Namespace  string
	// Name goes with every call to ESS, in the header managerHeader.
	Name string
	// Ahead is how far its clock is ahead of the system's when it starts.
	Ahead time.Duration
	// Lease makes it work only while it is the leader, by this lease.
	Lease bool
	// Receiver gives it a receiver, whose routes are in the Secret "routes".
	Receiver bool
}

// managerHeader tells which manager made a call.
const managerHeader = "X-Manager"

// The times of the lease are as short as tests can wait for them. A leader that
// does not get to renew it on a busy machine must not lose it.
const (
	leaseDuration = 20 * time.Second
	leaseRenewal  = 15 * time.Second
	leaseRetry    = 500 * time.Millisecond
)

// child is what a command can reach.
type child struct {
	clock  pushedClock
	writes tracker
	stop   context.CancelFunc
}

// childMain runs a manager until it is told to stop, killed, or orphaned.
func childMain(encoded string) (code int) {
	var settings childSettings
	if err := json.Unmarshal([]byte(encoded), &settings); err != nil {
		fmt.Fprintln(os.Stderr, "reading the settings:", err)
		return 2
	}
	logger := logr.FromSlogHandler(slog.NewTextHandler(os.Stderr, nil))
	ctrl.SetLogger(logger)
	klog.SetLogger(logger)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	c := &child{stop: stop}
	c.clock.push(settings.Ahead)
	go c.obey(os.Stdin)
	if err := c.manage(ctx, settings); err != nil {
		fmt.Fprintln(os.Stderr, "running the manager:", err)
		return 1
	}
	return 0
}

// manage runs the operator as cmd/manager does.
func (c *child) manage(ctx context.Context, settings childSettings) error {
	config, err := clientcmd.BuildConfigFromFlags("", settings.Kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1 // the API server is this machine's
	late, err := jitter.FromEnvironment()
	if err != nil {
		return err
	}
	config.Wrap(late.Wrap)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			answer, err := c.writes.around(apiWrite(r), r, next)
			if err == nil && answer.StatusCode == http.StatusForbidden {
				fmt.Println("refused", r.Method, r.URL.Path)
			}
			return answer, err
		})
	})
	mgr, err := newManager(config, settings)
	if err != nil {
		return err
	}
	options := controllers.Options{
		AllowedHosts: "localhost,127.0.0.1",
		Clock:        &c.clock,
		WrapConcur: func(next http.RoundTripper) http.RoundTripper {
			next = late.Wrap(next)
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				named := r.Clone(r.Context())
				named.Header.Set(managerHeader, settings.Name)
				return c.writes.around(concurWrite(r, settings.Namespace), named, next)
			})
		},
	}
	if settings.Receiver {
		options.ReceiverURL = "https://events.example.com"
		options.RoutesSecret = types.NamespacedName{Namespace: settings.Namespace, Name: "routes"}
	}
	if err := controllers.Setup(ctx, mgr, options); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

func newManager(config *rest.Config, settings childSettings) (ctrl.Manager, error) {
	scheme, err := newScheme()
	if err != nil {
		return nil, err
	}
	caches := controllers.CacheOptions()
	caches.DefaultNamespaces = map[string]cache.Config{settings.Namespace: {}}
	caches.ByObject = map[client.Object]cache.ByObject{
		&corev1.Namespace{}: {Field: fields.OneTermEqualSelector("metadata.name", settings.Namespace)},
	}
	return ctrl.NewManager(config, ctrl.Options{
		Scheme:                  scheme,
		Cache:                   caches,
		Client:                  controllers.ClientOptions(),
		Metrics:                 metricsserver.Options{BindAddress: "0"},
		HealthProbeBindAddress:  "0",
		GracefulShutdownTimeout: new(patience),
		LeaderElection:          settings.Lease,
		LeaderElectionID:        "manager",
		LeaderElectionNamespace: settings.Namespace,
		LeaseDuration:           new(leaseDuration),
		RenewDeadline:           new(leaseRenewal),
		RetryPeriod:             new(leaseRetry),
	})
}

// obey does what each line of in says, and answers with one line. The end of
// in is the end of the parent, and of this process.
func (c *child) obey(in io.Reader) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		command, argument, _ := strings.Cut(lines.Text(), " ")
		fmt.Println("answer", c.do(command, argument))
	}
	os.Exit(3)
}

func (c *child) do(command, argument string) string {
	switch command {
	case "arm":
		var point crashPoint
		if err := json.Unmarshal([]byte(argument), &point); err != nil {
			return err.Error()
		}
		c.writes.arm(point)
	case "step":
		d, err := time.ParseDuration(argument)
		if err != nil {
			return err.Error()
		}
		c.clock.push(d)
	case "counter":
		return counter(argument)
	case "nothing":
	case "stop":
		c.stop()
	default:
		return "no such command"
	}
	return "done"
}

// counter is the value of a counter of this process, as a scrape would show it.
func counter(name string) string {
	families, err := metrics.Registry.Gather()
	if err != nil {
		return err.Error()
	}
	for _, family := range families {
		if family.GetName() == name {
			return fmt.Sprint(family.GetMetric()[0].GetCounter().GetValue())
		}
	}
	return "no such metric"
}

// pushedClock is the system's clock, ahead by what it was pushed.
type pushedClock struct {
	mu    sync.Mutex
	ahead time.Duration
}

// Now implements clock.PassiveClock.
func (c *pushedClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

// Since implements clock.PassiveClock.
func (c *pushedClock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

func (c *pushedClock) push(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}
