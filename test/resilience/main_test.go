// Package resilience_test proves that nothing is lost, written twice or stuck
// when parts of the whole die. The manager under test is a process of its own,
// this test binary run again, so that it can be killed for real: at random, or
// exactly before or after a chosen write to the API server or to ESS. It is
// made of the operator's own parts; what is injected sits in the transports.
//
// A child watches only the namespace of its test, so that all tests run at
// once on one control plane. Those that break the control plane itself have
// another.
package resilience_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/test/controlplane"
	"github.com/ess-operator/ess-operator/test/invariants"
	"github.com/ess-operator/ess-operator/test/samples"
)

// atOnce is how many tests run at once. They mostly wait: for a child to start,
// for a back-off, for ESS to forget.
const atOnce = "6"

// suite is the control plane that most tests share.
var suite *plane

// plane is a control plane and a client of it.
type plane struct {
	*controlplane.ControlPlane
	client client.WithWatch
}

func TestMain(m *testing.M) {
	if settings := os.Getenv(childVariable); settings != "" {
		os.Exit(childMain(settings))
	}
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "resilience suite:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := flag.Set("test.parallel", atOnce); err != nil {
		return 1, err
	}
	suite, err = startPlane(ctx)
	if err != nil {
		return 1, err
	}
	defer func() {
		if stopErr := suite.Stop(); err == nil {
			err = stopErr
		}
	}()
	collection := samples.New("../../argocd/resource_customizations/concur.ess-operator.io", samples.AwayFromOthers)
	watcher, err := invariants.Watch(ctx, suite.client, collection.Add)
	if err != nil {
		return 1, err
	}
	code = m.Run()
	cancel()
	versions, broken := watcher.Report()
	fmt.Printf("resilience suite: checked %d versions of objects against kstatus and our own rules\n", versions)
	for _, sentence := range broken {
		fmt.Println("broken rule:", sentence)
		code = 1
	}
	return collection.Check(code)
}

// startPlane starts a control plane with our definitions.
func startPlane(ctx context.Context) (*plane, error) {
	cp, err := controlplane.Start(ctx, controlplane.Options{CRDDirs: []string{"config/crd/bases"}})
	if err != nil {
		return nil, err
	}
	scheme, err := newScheme()
	if err != nil {
		return nil, err
	}
	c, err := client.NewWithWatch(cp.Config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, err
	}
	return &plane{ControlPlane: cp, client: c}, nil
}

func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	return scheme, nil
}
