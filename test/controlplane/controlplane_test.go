package controlplane_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ess-operator/ess-operator/test/controlplane"
)

// patience is for what must come. It says nothing of how fast that is, and is far
// beyond what the slowest machine takes.
const patience = 3 * time.Minute

// A process that starts a control plane for another test to kill.
const victimVariable = "CONTROLPLANE_TEST_VICTIM"

func TestMain(m *testing.M) {
	if os.Getenv(victimVariable) != "" {
		os.Exit(victim())
	}
	os.Exit(m.Run())
}

func TestNamespacesAndOwnedObjectsGoAway(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	cp := start(t, controlplane.Options{})

	must(t, cp, "create", "namespace", "finance")
	must(t, cp, "-n", "finance", "create", "configmap", "reports")
	// kubectl waits until the namespace is gone, which is the work of a controller.
	must(t, cp, "delete", "namespace", "finance", "--timeout="+patience.String())
	if out, err := cp.Kubectl(ctx, "get", "namespace", "finance"); err == nil {
		t.Errorf("the namespace is still there: %s", out)
	}
}

func TestKubectlReportsWhatItPrinted(t *testing.T) {
	t.Parallel()
	cp := start(t, controlplane.Options{WithoutControllers: true})

	_, err := cp.Kubectl(t.Context(), "get", "configmap", "no-such-thing")
	if err == nil || !strings.Contains(err.Error(), `configmaps "no-such-thing" not found`) {
		t.Errorf("error = %v, want what kubectl printed", err)
	}
	if exit := new(exec.ExitError); !errors.As(err, &exit) {
		t.Errorf("error = %v, want the exit status to be found in it", err)
	}
}

// TestKubectlHeedsNoPreferences gives kubectl a home in which "kubectl create configmap" is asked to change nothing.
func TestKubectlHeedsNoPreferences(t *testing.T) {
	home := t.TempDir()
	preferences := filepath.Join(home, ".kube", "kuberc")
	if err := os.Mkdir(filepath.Dir(preferences), 0o700); err != nil {
		t.Fatal(err)
	}
	text := "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\ndefaults:\n- command: create configmap\n  options: [{name: dry-run, default: client}]\n"
	if err := os.WriteFile(preferences, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", home)
	cp := start(t, controlplane.Options{WithoutControllers: true})
	must(t, cp, "create", "configmap", "made")
	must(t, cp, "get", "configmap", "made")
}

func TestServesWaitsForDefinitions(t *testing.T) {
	t.Parallel()
	cp := start(t, controlplane.Options{WithoutControllers: true})
	const widgets = "widgets.example.com"
	soon, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := cp.Serves(soon, widgets); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), widgets) {
		t.Errorf("without a definition: %v, want that nobody knows the kind", err)
	}
	must(t, cp, "apply", "-f", "testdata")
	if err := cp.Serves(t.Context(), widgets, "configmaps"); err != nil {
		t.Fatal(err)
	}
	must(t, cp, "get", widgets)
}

func TestCustomResourcesAreServedAndAudited(t *testing.T) {
	t.Parallel()
	cp := start(t, controlplane.Options{
		CRDDirs:            []string{"test/controlplane/testdata"},
		Audit:              true,
		WithoutControllers: true,
	})

	object := "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: one}\n"
	if _, err := cp.KubectlInput(t.Context(), strings.NewReader(object), "create", "-f", "-"); err != nil {
		t.Fatal(err)
	}
	audit, err := os.ReadFile(cp.AuditLog)
	if err != nil {
		t.Fatal(err)
	}
	if n := countCreations(string(audit), "widgets"); n != 1 {
		t.Errorf("the audit log has %d creations of a widget, want 1", n)
	}
}

func TestUsersMayDoOnlyWhatTheyAreGranted(t *testing.T) {
	t.Parallel()
	cp := start(t, controlplane.Options{WithoutControllers: true})
	user, err := cp.AddUser("reader", "readers")
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig, err := user.KubeConfig()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}

	_, err = cp.Kubectl(t.Context(), "--kubeconfig", path, "get", "secrets")
	if err == nil || !strings.Contains(err.Error(), `User "reader" cannot list resource "secrets"`) {
		t.Errorf("error = %v, want a refusal that names the user", err)
	}
}

func TestStopLeavesNothing(t *testing.T) {
	t.Parallel()
	cp := start(t, controlplane.Options{})
	pids := pidsOf(t, cp.Dir)
	if len(pids) != 3 {
		t.Fatalf("processes = %v, want those of etcd, kube-apiserver and kube-controller-manager", pids)
	}

	for range 2 { // a second Stop does no harm
		if err := cp.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if left := alive(pids); len(left) > 0 {
		t.Errorf("processes %v are still there", left)
	}
	if _, err := os.Stat(cp.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("looking for %s: %v, want it to be gone", cp.Dir, err)
	}
}

func TestNothingOutlivesAKilledProcess(t *testing.T) {
	t.Parallel()
	process := exec.CommandContext(t.Context(), os.Args[0])
	process.Env = append(os.Environ(), victimVariable+"=1")
	process.Stderr = os.Stderr
	stdout, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the process did not start a control plane: %v", err)
	}
	dir := strings.TrimSpace(line)
	pids := pidsOf(t, dir)

	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = process.Wait() // killed, as was asked

	g := NewWithT(t)
	g.Eventually(func() []int { return alive(pids) }, patience, "50ms").Should(BeEmpty())
	g.Eventually(func() error { _, err := os.Stat(dir); return err }, patience, "50ms").Should(MatchError(os.ErrNotExist))
}

func TestACancelledStartLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "plane")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	started := make(chan error, 1)
	go func() {
		_, err := controlplane.Start(ctx, controlplane.Options{Dir: dir})
		started <- err
	}()

	NewWithT(t).Eventually(func() ([]os.DirEntry, error) {
		return os.ReadDir(filepath.Join(dir, "pids"))
	}, patience, "5ms").ShouldNot(BeEmpty(), "no program was started")
	cancel()
	if err := <-started; !errors.Is(err, context.Canceled) {
		t.Errorf("Start() = %v, want the context's error", err)
	}
	// No launcher: nothing can start any more. No pids: nothing runs.
	for _, gone := range []string{"launchers", "pids"} {
		if _, err := os.Stat(filepath.Join(dir, gone)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("looking for %s: %v, want it to be gone", gone, err)
		}
	}
}

// victim starts a control plane, tells where, and waits to be killed.
func victim() int {
	cp, err := controlplane.Start(context.Background(), controlplane.Options{})
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		return 1
	}
	os.Stdout.WriteString(cp.Dir + "\n")
	select {}
}

func start(t *testing.T, opts controlplane.Options) *controlplane.ControlPlane {
	t.Helper()
	cp, err := controlplane.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cp.Stop(); err != nil {
			t.Error(err)
		}
	})
	return cp
}

func must(t *testing.T, cp *controlplane.ControlPlane, args ...string) {
	t.Helper()
	if _, err := cp.Kubectl(t.Context(), args...); err != nil {
		t.Fatal(err)
	}
}

func countCreations(audit, resource string) int {
	n := 0
	for line := range strings.Lines(audit) {
		if strings.Contains(line, `"verb":"create"`) && strings.Contains(line, `"resource":"`+resource+`"`) {
			n++
		}
	}
	return n
}

func pidsOf(t *testing.T, dir string) []int {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "pids"))
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

func alive(pids []int) []int {
	var left []int
	for _, pid := range pids {
		if !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			left = append(left, pid)
		}
	}
	return left
}
