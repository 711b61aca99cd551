// Package api_test holds what users meet before any controller does: the
// definitions of the kinds with all their validation rules, what kubectl shows,
// and the manifests in config/, on a real API server.
//
// Every rule in the schema of a spec has an entry in a table here, with one
// object that the API server accepts, one that it refuses, and what it says. A
// rule without an entry fails the tests, so a new rule names its own.
package api_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/test/controlplane"
)

// patience is for what must come. It says nothing of how fast that is, and is far
// beyond what the slowest machine takes.
const patience = 3 * time.Minute

// suite is what all tests share.
var suite struct {
	plane  *controlplane.ControlPlane
	client client.Client
}

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "api suite:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx := context.Background()
	suite.plane, err = controlplane.Start(ctx, controlplane.Options{})
	if err != nil {
		return 1, err
	}
	defer func() {
		if stopErr := suite.plane.Stop(); err == nil {
			err = stopErr
		}
	}()
	if err := install(ctx); err != nil {
		return 1, err
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, apiextensionsv1.AddToScheme, v1alpha1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return 1, err
		}
	}
	suite.client, err = client.New(suite.plane.Config, client.Options{Scheme: scheme})
	if err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// install does as a user would: plain "kubectl apply", which keeps a copy of each
// definition in an annotation of bounded size.
func install(ctx context.Context) error {
	if _, err := suite.plane.Kubectl(ctx, "apply", "-f", "../../config/crd/bases"); err != nil {
		return err
	}
	_, err := suite.plane.Kubectl(ctx, "wait", "--for=condition=Established", "--timeout="+patience.String(),
		"crd/concurconnections.concur.ess-operator.io", "crd/eventsubscriptions.concur.ess-operator.io",
		"crd/applicationconnectors.concur.ess-operator.io")
	if err != nil {
		return err
	}
	return known(ctx)
}

// known waits until kubectl has our kinds in its cache: it asks the server anew for a
// kind that it does not know, but for a category only the next time.
func known(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		kinds, err := suite.plane.Kubectl(ctx, "api-resources", "--categories=concur", "-o", "name")
		return strings.Count(string(kinds), "\n") == 3, err
	})
}
