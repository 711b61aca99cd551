// Package operator_test holds the behaviours of the operator as a user sees
// them: a real API server, the real controllers, and the ESS emulator over
// real HTTPS. Each test has a namespace, an emulator and an application of its
// own, so that all run at once. What is asserted is the state of the world,
// and the emulator's log of calls where a call too many would be a fault.
package operator_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers"
	"github.com/ess-operator/ess-operator/controllers/statistics"
	"github.com/ess-operator/ess-operator/test/controlplane"
	"github.com/ess-operator/ess-operator/test/invariants"
	"github.com/ess-operator/ess-operator/test/jitter"
	"github.com/ess-operator/ess-operator/test/privileges/audit"
	"github.com/ess-operator/ess-operator/test/samples"
)

// receiverURL is where the manager under test believes the receiver to be.
const receiverURL = "https://events.example.com"

// managerAccount is who the manager under test is to the API server.
var managerAccount = audit.Account(systemNamespace, "ess-operator-manager")

// suite is what all tests share.
var suite struct {
	plane    *controlplane.ControlPlane
	client   client.WithWatch
	receiver *receiver
	jitter   *jitter.Jitter
	gate     gate
}

func TestMain(m *testing.M) {
	flag.Parse()
	// Nothing that is called here is elsewhere, so that no proxy of this machine may answer for it.
	if err := os.Setenv("NO_PROXY", "*"); err != nil {
		panic(err)
	}
	// The tests mostly wait, so that far more than one a core can run at once.
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue {
		if err := flag.Set("test.parallel", "24"); err != nil {
			panic(err)
		}
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "operator suite:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if suite.jitter, err = jitter.FromEnvironment(); err != nil {
		return 1, err
	}
	fmt.Println("operator suite:", suite.jitter)
	suite.plane, err = controlplane.Start(ctx, controlplane.Options{CRDDirs: []string{"config/crd/bases"}, Audit: true})
	if err != nil {
		return 1, err
	}
	defer func() {
		if stopErr := suite.plane.Stop(); err == nil {
			err = stopErr
		}
	}()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return 1, err
		}
	}
	if suite.client, err = client.NewWithWatch(suite.plane.Config, client.Options{Scheme: scheme}); err != nil {
		return 1, err
	}
	collection := samples.New("../../argocd/resource_customizations/concur.ess-operator.io", samples.OfSubscriptions)
	watcher, err := invariants.Watch(ctx, suite.client, collection.Add)
	if err != nil {
		return 1, err
	}
	suite.receiver = startReceiver()
	defer suite.receiver.Close()
	writes, stopped, err := startOperator(ctx, scheme)
	if err != nil {
		return 1, err
	}
	code = m.Run()
	cancel()
	if err := <-stopped; err != nil {
		return 1, err
	}
	return collection.Check(max(code, report(watcher, writes)))
}

// report prints the rules that were broken, and returns 1 if there were any.
func report(watcher *invariants.Watcher, writes *routesWrites) (code int) {
	if writes.needless() > 0 {
		fmt.Printf("operator suite: the routes were written %d times although they were the same\n", writes.needless())
		code = 1
	}
	versions, broken := watcher.Report()
	fmt.Printf("operator suite: checked %d versions of objects against kstatus and our own rules\n", versions)
	for _, sentence := range broken {
		fmt.Println("broken rule:", sentence)
		code = 1
	}
	return code
}

// startOperator installs what the manager needs, and starts it.
func startOperator(ctx context.Context, scheme *runtime.Scheme) (writes *routesWrites, stopped <-chan error, err error) {
	if err := installRoles(ctx); err != nil {
		return nil, nil, err
	}
	if stopped, err = startManager(ctx, scheme); err != nil {
		return nil, nil, err
	}
	if err := installSecrets(ctx); err != nil {
		return nil, nil, err
	}
	writes, err = watchRoutes(ctx)
	return writes, stopped, err
}

// startManager runs the controllers in this process until ctx ends.
func startManager(ctx context.Context, scheme *runtime.Scheme) (stopped <-chan error, err error) {
	level := slog.LevelError
	if testing.Verbose() {
		level = slog.LevelInfo
	}
	ctrl.SetLogger(logr.FromSlogHandler(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})))
	// As the service account of the manifests, so that a permission that is missing there fails here.
	config := rest.CopyConfig(suite.plane.Config)
	config.Wrap(suite.jitter.Wrap)
	config.Wrap(suite.gate.wrap)
	config.Impersonate = rest.ImpersonationConfig{
		UserName: managerAccount,
		Groups:   []string{"system:serviceaccounts", "system:authenticated"},
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                  scheme,
		Cache:                   controllers.CacheOptions(),
		Client:                  controllers.ClientOptions(),
		Metrics:                 metricsserver.Options{BindAddress: "0"},
		HealthProbeBindAddress:  "0",
		GracefulShutdownTimeout: new(patience),
	})
	if err != nil {
		return nil, err
	}
	err = controllers.Setup(ctx, mgr, controllers.Options{
		AllowedHosts: controllers.DefaultAllowedHosts + ",localhost,127.0.0.1",
		ReceiverURL:  receiverURL,

		RoutesSecret: routesSecret, AdminSecret: adminSecret,
		ReceiverAdmin: statistics.Receiver{URL: suite.receiver.URL}, StatisticsInterval: statisticsInterval,
		WrapConcur: suite.jitter.Wrap,
	})
	if err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	return done, nil
}
