// Package connector_test holds the behaviours of ApplicationConnectors as a user
// sees them: a real API server, the real controllers, SAP Concur's emulator with
// its list of failed notifications, and a receiver that knows of the world only
// what the operator wrote into the routes Secret.
package connector_test

import (
	"context"
	"encoding/pem"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
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
	"github.com/ess-operator/ess-operator/test/samples"
)

// receiverURL is where SAP Concur would find the receiver; example.com is in the certificate of the test's server.
const receiverURL = "https://example.com"

var routesSecret = types.NamespacedName{Namespace: "ess-operator-system", Name: "routes"}

// suite is what all tests share.
var suite struct {
	plane    *controlplane.ControlPlane
	scheme   *runtime.Scheme
	client   client.WithWatch
	receiver *receiver
	options  controllers.Options
	jitter   *jitter.Jitter
}

func TestMain(m *testing.M) {
	flag.Parse()
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue {
		if err := flag.Set("test.parallel", "16"); err != nil { // they mostly wait
			panic(err)
		}
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "connector suite:", err)
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
	fmt.Println("connector suite:", suite.jitter)
	suite.plane, err = controlplane.Start(ctx, controlplane.Options{CRDDirs: []string{"config/crd/bases"}})
	if err != nil {
		return 1, err
	}
	defer func() {
		if stopErr := suite.plane.Stop(); err == nil {
			err = stopErr
		}
	}()
	dir, err := os.MkdirTemp("", "connector-suite-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // the system cleans up what is left
	if err := prepare(ctx, dir); err != nil {
		return 1, err
	}
	defer suite.receiver.Close()
	defer suite.receiver.admin.Close()
	collection := samples.New("../../argocd/resource_customizations/concur.ess-operator.io", samples.OfConnectors)
	watcher, err := invariants.Watch(ctx, suite.client, collection.Add)
	if err != nil {
		return 1, err
	}
	stopped, err := startManager(ctx)
	if err != nil {
		return 1, err
	}
	code = m.Run()
	cancel()
	if err := <-stopped; err != nil {
		return 1, err
	}
	versions, broken := watcher.Report()
	fmt.Printf("connector suite: checked %d versions of objects against kstatus and our own rules\n", versions)
	for _, sentence := range broken {
		fmt.Println("broken rule:", sentence)
		code = 1
	}
	return collection.Check(code)
}

// prepare makes clients, the routes Secret and the receiver, whose authority it writes into dir.
func prepare(ctx context.Context, dir string) (err error) {
	level := slog.LevelError
	if testing.Verbose() {
		level = slog.LevelInfo
	}
	ctrl.SetLogger(logr.FromSlogHandler(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})))
	suite.scheme = runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(suite.scheme); err != nil {
			return err
		}
	}
	if suite.client, err = client.NewWithWatch(suite.plane.Config, client.Options{Scheme: suite.scheme}); err != nil {
		return err
	}
	for _, o := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: routesSecret.Namespace}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: routesSecret.Namespace, Name: routesSecret.Name}},
	} {
		if err := suite.client.Create(ctx, o); err != nil {
			return err
		}
	}
	suite.receiver = newReceiver()
	ca := filepath.Join(dir, "ca.pem")
	suite.options = controllers.Options{
		AllowedHosts: controllers.DefaultAllowedHosts + ",127.0.0.1", ReceiverURL: receiverURL, RoutesSecret: routesSecret,
		ReceiverConnectTo: suite.receiver.Listener.Addr().String(), ReceiverCAFile: ca, SkipNameValidation: true,
		ReceiverAdmin: statistics.Receiver{URL: suite.receiver.admin.URL}, StatisticsInterval: 200 * time.Millisecond,
		SinkInterval: time.Second, WrapConcur: suite.jitter.Wrap,
	}
	return os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: suite.receiver.Certificate().Raw}), 0o600)
}

// startManager runs the controllers in this process until ctx ends.
func startManager(ctx context.Context) (stopped <-chan error, err error) {
	config := rest.CopyConfig(suite.plane.Config)
	config.Wrap(suite.jitter.Wrap)
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                  suite.scheme,
		Cache:                   controllers.CacheOptions(),
		Client:                  controllers.ClientOptions(),
		Metrics:                 metricsserver.Options{BindAddress: "0"},
		HealthProbeBindAddress:  "0",
		GracefulShutdownTimeout: new(patience),
	})
	if err != nil {
		return nil, err
	}
	if err := controllers.Setup(ctx, mgr, suite.options); err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	return done, nil
}
