package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// Kubectl runs kubectl as administrator and returns its standard output. The error
// of a run that fails holds all that kubectl printed, on either stream.
func (cp *ControlPlane) Kubectl(ctx context.Context, args ...string) ([]byte, error) {
	return cp.KubectlInput(ctx, nil, args...)
}

// KubectlInput is Kubectl with a standard input, for commands such as "apply -f -".
func (cp *ControlPlane) KubectlInput(ctx context.Context, stdin io.Reader, args ...string) ([]byte, error) {
	var stdout, stderr strings.Builder
	cmd := exec.CommandContext(ctx, filepath.Join(cp.AssetsDir, kubectl), args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	cmd.WaitDelay = 5 * time.Second // a plugin's child may hold the streams open
	// The caller's own configuration must not decide which cluster is changed, nor how, nor in which language that is told.
	cmd.Env = append(os.Environ(), "KUBECONFIG="+cp.Kubeconfig, "KUBECACHEDIR="+filepath.Join(cp.Dir, "kubectl-cache"), "KUBERC=off", "LC_ALL=C")
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("running kubectl %s: %w\n%s%s", strings.Join(args, " "), err, stdout.String(), stderr.String())
	}
	return []byte(stdout.String()), nil
}

// Serves waits until kubectl knows kinds that were defined a moment ago, such as "widgets.example.com". That a
// definition is Established does not say so: what there is, the API server says a little later.
func (cp *ControlPlane) Serves(ctx context.Context, kinds ...string) error {
	const patience, glance = 3 * time.Minute, 100 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var said error
	err := wait.PollUntilContextCancel(ctx, glance, true, func(ctx context.Context) (bool, error) {
		text, err := cp.Kubectl(ctx, "api-resources", "--output=name")
		said = err // that of one group is not known yet is an error, too
		known := strings.Fields(string(text))
		return err == nil && !slices.ContainsFunc(kinds, func(kind string) bool { return !slices.Contains(known, kind) }), nil
	})
	if err != nil {
		return fmt.Errorf("waiting for the API server to know %s: %w", strings.Join(kinds, ", "), errors.Join(err, said))
	}
	return nil
}

// AddUser makes a user who may do only what RBAC grants, known by name and groups:
// name "system:serviceaccount:NAMESPACE:NAME" acts as that service account. What it
// returns gives a rest.Config or the bytes of a kubeconfig file.
func (cp *ControlPlane) AddUser(name string, groups ...string) (*envtest.AuthenticatedUser, error) {
	user, err := cp.env.AddUser(envtest.User{Name: name, Groups: groups}, cp.Config)
	if err != nil {
		return nil, fmt.Errorf("adding user %s to the control plane: %w", name, err)
	}
	return user, nil
}
