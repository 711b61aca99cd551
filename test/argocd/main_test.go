// Package argocd_test runs the example of argocd/examples through a real Argo CD:
// its API server, repo-server and application controller as processes, git on the
// disk, a real control plane, the real manager, and the emulator for SAP Concur.
// There are no nodes: what would be pods is left out of the example.
//
// It needs what "make test-argocd" builds, and runs only where the environment
// variable ARGOCD names the directory with it.
package argocd_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/test/controlplane"
)

// suite is what the story is played on.
var suite struct {
	plane  *controlplane.ControlPlane
	client client.WithWatch
	argo   *argo
}

func TestMain(m *testing.M) {
	bin := os.Getenv("ARGOCD")
	if bin == "" {
		fmt.Println("argocd suite: not run; make test-argocd does")
		os.Exit(0)
	}
	code, err := run(m, bin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "argocd suite:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M, bin string) (code int, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	suite.plane, err = controlplane.Start(ctx, controlplane.Options{})
	if err != nil {
		return 1, err
	}
	defer func() {
		if stopErr := suite.plane.Stop(); err == nil {
			err = stopErr
		}
	}()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, apiextensionsv1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return 1, err
		}
	}
	if suite.client, err = client.NewWithWatch(suite.plane.Config, client.Options{Scheme: scheme}); err != nil {
		return 1, err
	}
	suite.argo, err = startArgo(ctx, bin)
	defer suite.argo.stop()
	if err != nil {
		return 1, err
	}
	return m.Run(), nil
}
