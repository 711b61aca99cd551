//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// root is the module's, seen from here, where go test runs.
const root = "../.."

// What is installed where.
const (
	operatorNamespace = "ess-operator-system"
	concurNamespace   = "concur-emulator"
	trialNamespace    = "ess-operator-trial"
	managerName       = "ess-operator-manager"
	receiverName      = "ess-operator-receiver"
)

var errNoKubeconfig = errors.New("KUBECONFIG is not set: name the cluster that may be changed, such as one of `kind create cluster`")

// cluster is the one under test, as an administrator reaches it. The commands are those that a user would type.
type cluster struct {
	kubectlPath, helmPath string
	client                client.Client
	clientset             *kubernetes.Clientset
}

func newCluster() (*cluster, error) {
	if os.Getenv("KUBECONFIG") == "" {
		return nil, errNoKubeconfig
	}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		clientcmd.NewDefaultClientConfigLoadingRules(), nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("reading KUBECONFIG: %w", err)
	}
	config.QPS, config.Burst = 50, 100
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	c := &cluster{}
	if c.kubectlPath, err = program(os.Getenv("E2E_KUBECTL"), built("k8s/*/kubectl"), "kubectl"); err != nil {
		return nil, err
	}
	if c.helmPath, err = program(os.Getenv("E2E_HELM"), built("tools/helm"), "helm"); err != nil {
		return nil, err
	}
	if c.client, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return nil, fmt.Errorf("connecting to the cluster: %w", err)
	}
	if c.clientset, err = kubernetes.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("connecting to the cluster: %w", err)
	}
	return c, nil
}

// program is the absolute path of the first candidate that is named.
func program(candidates ...string) (string, error) {
	name := cmp.Or(candidates...)
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("looking for %s: %w", name, err)
	}
	return filepath.Abs(path)
}

// built is the path of a program that make has built, or empty.
func built(pattern string) string {
	found, err := filepath.Glob(filepath.Join(root, "bin", pattern))
	if err != nil || len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

// run runs a program in the module's root and returns its standard output. The error holds all that it printed, and so do
// warnings of the API server, which kubectl and helm print on the other stream.
func run(ctx context.Context, stdin io.Reader, name string, args ...string) (stdout, stderr string, err error) {
	var out, problems strings.Builder
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = root, stdin, &out, &problems
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		return out.String(), problems.String(), fmt.Errorf("running %s %s: %w\n%s%s",
			filepath.Base(name), strings.Join(args, " "), errors.Join(err, context.Cause(ctx)), out.String(), problems.String())
	}
	return out.String(), problems.String(), nil
}

// tryKubectl runs kubectl in the module's root and returns its standard output.
func (c *cluster) tryKubectl(ctx context.Context, args ...string) (string, error) {
	out, _, err := run(ctx, nil, c.kubectlPath, args...)
	return out, err
}

// kubectl is tryKubectl that must succeed, and without a warning by the API server.
func (s *suite) kubectl(ctx context.Context, args ...string) string {
	s.t.Helper()
	out, problems, err := run(ctx, nil, s.kubectlPath, args...)
	s.must(err)
	s.mustNotWarn(problems)
	return out
}

// mustNotWarn holds the API server to silence: a warning would be the restricted pod security standard that is not kept, or a
// field that it does not know.
func (s *suite) mustNotWarn(problems string) {
	s.t.Helper()
	for line := range strings.Lines(problems) {
		if strings.HasPrefix(line, "Warning:") {
			s.t.Errorf("the API server said: %s", line)
		}
	}
}
