// Package adminport_test proves the Secret of the receiver's admin port from end
// to end: a real API server, the operator with the permissions of the manifests,
// and the receiver's program with the Secret mounted as a kubelet does, late.
package adminport_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/test/controlplane"
)

const systemNamespace = "ess-operator-system"

// adminSecret is the Secret of config/receiver.
var adminSecret = types.NamespacedName{Namespace: systemNamespace, Name: "ess-operator-receiver-admin"}

// suite is what there is before a test begins.
var suite struct {
	plane   *controlplane.ControlPlane
	scheme  *runtime.Scheme
	client  client.Client
	program string // path of the receiver
}

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "admin port suite:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "adminport-suite-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // the system cleans up what is left
	suite.program = filepath.Join(dir, "webhook-receiver")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", suite.program, "../../webhook-receiver") // no word of git's about its clone matters here
	if output, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("building the receiver: %w\n%s", err, output)
	}
	suite.plane, err = controlplane.Start(context.Background(), controlplane.Options{CRDDirs: []string{"config/crd/bases"}, WithoutControllers: true})
	if err != nil {
		return 1, err
	}
	defer func() {
		if stopErr := suite.plane.Stop(); err == nil {
			err = stopErr
		}
	}()
	if err := prepare(context.Background()); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// prepare makes a client and installs what the manager needs of the manifests.
func prepare(ctx context.Context) (err error) {
	ctrl.SetLogger(logr.FromSlogHandler(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	suite.scheme = runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(suite.scheme); err != nil {
			return err
		}
	}
	if suite.client, err = client.New(suite.plane.Config, client.Options{Scheme: suite.scheme}); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"create", "namespace", systemNamespace},
		{"apply", "-k", "../../config/rbac"},
		{"apply", "-f", "../../config/receiver/admin.yaml"},
	} {
		if _, err := suite.plane.Kubectl(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}
