package argocd_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// argoNamespace is where Argo CD keeps its configuration and Applications.
const argoNamespace = "argocd"

// argo is a running Argo CD.
type argo struct {
	bin, dir    string
	kubeconfig  string
	environment []string
	redis       string
	server      string
	programs    []*program
}

// startArgo installs Argo CD as its manifests do, with our customizations, and starts it.
// What it returns is to be stopped, also with an error.
func startArgo(ctx context.Context, bin string) (*argo, error) {
	a := &argo{}
	var err error
	if a.bin, err = filepath.Abs(bin); err != nil {
		return a, err
	}
	if a.dir, err = os.MkdirTemp("", "ess-argocd-"); err != nil {
		return a, err
	}
	for _, step := range []func(context.Context) error{a.prepare, a.install, a.startAll} {
		if err := step(ctx); err != nil {
			return a, err
		}
	}
	return a, nil
}

func (a *argo) stop() {
	for i := len(a.programs) - 1; i >= 0; i-- {
		a.programs[i].stop()
	}
	_ = os.RemoveAll(a.dir) // the system cleans up what is left
}

// prepare makes directories, and a kubeconfig whose context has the namespace: from there all programs take it.
func (a *argo) prepare(ctx context.Context) error {
	for _, name := range []string{"home", "tmp", "tls", "ssh", "gpg", "plugins", "git"} {
		if err := os.Mkdir(filepath.Join(a.dir, name), 0o700); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(suite.plane.Kubeconfig)
	if err != nil {
		return err
	}
	a.kubeconfig = filepath.Join(a.dir, "kubeconfig")
	if err := os.WriteFile(a.kubeconfig, text, 0o600); err != nil {
		return err
	}
	_, err = suite.plane.Kubectl(ctx, "--kubeconfig="+a.kubeconfig, "config", "set-context", "--current", "--namespace="+argoNamespace)
	at := func(name string) string { return filepath.Join(a.dir, name) }
	a.environment = []string{
		"PATH=" + a.bin + ":" + os.Getenv("PATH"), "HOME=" + at("home"), "TMPDIR=" + at("tmp"), "LANG=C.UTF-8",
		"KUBECONFIG=" + a.kubeconfig, "KUBECACHEDIR=" + at("home"), "REDIS_PASSWORD=" + rand.Text(),
		"GIT_CONFIG_NOSYSTEM=1",
		"ARGOCD_FAKE_IN_CLUSTER=true", // https://kubernetes.default.svc is the server of the kubeconfig
		"ARGOCD_RECONCILIATION_TIMEOUT=5s", "ARGOCD_RECONCILIATION_JITTER=0s",
		"ARGOCD_TLS_DATA_PATH=" + at("tls"), "ARGOCD_SSH_DATA_PATH=" + at("ssh"),
		"ARGOCD_GPG_ENABLED=false", "ARGOCD_GNUPGHOME=" + at("gpg"), "ARGOCD_GPG_DATA_PATH=" + at("gpg"),
		"ARGOCD_PLUGINSOCKFILEPATH=" + at("plugins"), "ARGOCD_ASK_PASS_SOCK=" + at("ask-pass.sock"),
	}
	return err
}

// install applies what an installation of Argo CD has beside pods, and what docs/gitops.md adds to it.
func (a *argo) install(ctx context.Context) error {
	manifests := filepath.Join(a.bin, "manifests")
	for _, args := range [][]string{
		{"create", "namespace", argoNamespace},
		{"apply", "--server-side", "-k", filepath.Join(manifests, "crds")}, // too large for an annotation
		{"apply", "-n", argoNamespace, "-k", filepath.Join(manifests, "config")},
		{"patch", "configmap", "argocd-cm", "-n", argoNamespace, "--patch-file", "../../argocd/argocd-cm.yaml"},
		{"patch", "configmap", "argocd-cm", "-n", argoNamespace, "--patch-file", "../../argocd/examples/app-of-apps/application-health.yaml"},
	} {
		if _, err := suite.plane.Kubectl(ctx, args...); err != nil {
			return err
		}
	}
	return wait.PollUntilContextTimeout(ctx, glance, patience, true, func(ctx context.Context) (bool, error) {
		_, err := suite.plane.Kubectl(ctx, "get", "applications.argoproj.io,appprojects.argoproj.io", "-A")
		return err == nil, nil // the definitions are new
	})
}

// startAll starts the programs in the order in which they want each other.
func (a *argo) startAll(ctx context.Context) error {
	ports, err := freePorts(7)
	if err != nil {
		return err
	}
	local := func(i int) string { return "127.0.0.1:" + ports[i] }
	a.redis, a.server = local(0), local(3)
	if err := a.start(ctx, "", "memredis", "--listen", a.redis); err != nil {
		return err
	}
	if err := a.start(ctx, local(2), "argocd-repo-server", "--redis", a.redis, "--address=127.0.0.1", "--port", ports[1],
		"--metrics-address=127.0.0.1", "--metrics-port", ports[2]); err != nil {
		return err
	}
	// It writes what is missing into argocd-secret, and makes the default project.
	if err := a.start(ctx, a.server, "argocd-server", "--redis", a.redis, "--repo-server", local(1),
		"--address=127.0.0.1", "--port", ports[3], "--metrics-address=127.0.0.1", "--metrics-port", ports[4], "--insecure", "--disable-auth"); err != nil {
		return err
	}
	// A revision that cannot be built shows after 5 seconds instead of 3 minutes.
	return a.start(ctx, local(5), "argocd-application-controller", "--redis", a.redis, "--repo-server", local(1),
		"--metrics-port", ports[5], "--repo-error-grace-period-seconds=5")
}

// start starts one program, and waits until it is healthy if it says so anywhere.
func (a *argo) start(ctx context.Context, healthAddress, name string, args ...string) error {
	p, err := launch(a.dir, name, a.environment, append([]string{filepath.Join(a.bin, name)}, args...)...)
	if err != nil {
		return err
	}
	a.programs = append(a.programs, p)
	if healthAddress == "" {
		return nil
	}
	return p.await(ctx, "http://"+healthAddress+"/healthz")
}

// cli runs argocd as a user would, and returns what it prints.
func (a *argo) cli(ctx context.Context, args ...string) (string, error) {
	var stderr strings.Builder
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(a.bin, "argocd"), append(args, "--server", a.server, "--plaintext")...)
	cmd.Env, cmd.Dir, cmd.Stderr = a.environment, a.dir, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("argocd %s: %w\n%s%s", strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out), nil
}

// logs are the ends of the logs of all programs, for failures.
func (a *argo) logs() string {
	var all []error
	for _, p := range a.programs {
		all = append(all, fmt.Errorf("--- %s:\n%s", p.name, p.tail()))
	}
	return errors.Join(all...).Error()
}

// key names an object of Argo CD.
func key(name string) client.ObjectKey { return client.ObjectKey{Namespace: argoNamespace, Name: name} }
