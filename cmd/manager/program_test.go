package main

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/internal/version"
	"github.com/ess-operator/ess-operator/test/controlplane"
	"github.com/ess-operator/ess-operator/test/loopback"
)

// patience is for what must come. It says nothing of how fast that is, and is far
// beyond what the slowest machine takes.
const patience = 3 * time.Minute

// asProgram makes the test binary behave as the manager, so that it can be
// watched from outside: its flags, its signals, its exit status.
const asProgram = "ESS_OPERATOR_TEST_AS_MANAGER"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestProgram runs the manager on a real API server: it becomes ready, serves
// metrics, takes the Lease, and stops when it is told to.
func TestProgram(t *testing.T) {
	t.Parallel()
	plane, err := controlplane.Start(t.Context(), controlplane.Options{CRDDirs: []string{"config/crd/bases"}, WithoutControllers: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	probes, metrics := freeAddress(t), freeAddress(t)
	program := exec.CommandContext(t.Context(), os.Args[0],
		"--kubeconfig="+plane.Kubeconfig, "--health-probe-bind-address="+probes,
		"--metrics-bind-address="+metrics, "--metrics-secure=false",
		"--leader-elect", "--leader-election-namespace=default", "--log-format=text")
	program.Env = append(os.Environ(), asProgram+"=1")
	var log strings.Builder
	program.Stdout, program.Stderr = &log, &log
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- program.Wait() }()

	serves(t, stopped, "http://"+probes+"/readyz", "ok")
	serves(t, stopped, "http://"+probes+"/healthz", "ok")
	serves(t, stopped, "http://"+metrics+"/metrics", `leader_election_master_status{name="manager.concur.ess-operator.io"} 1`)
	serves(t, stopped, "http://"+metrics+"/metrics", `ess_operator_build_info{version="`+version.String()+`"} 1`)
	if err := program.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, log.String())
	}
}

func TestVersionIsPrinted(t *testing.T) {
	t.Parallel()
	program := exec.CommandContext(t.Context(), os.Args[0], "--version")
	program.Env = append(os.Environ(), asProgram+"=1")
	out, err := program.Output()
	if err != nil || !strings.HasPrefix(string(out), "manager ") || len(strings.Fields(string(out))) != 2 {
		t.Errorf("--version prints %q, %v", out, err)
	}
}

func TestWrongFlagsEndWithTwo(t *testing.T) {
	t.Parallel()
	program := exec.CommandContext(t.Context(), os.Args[0], "--log-format=yaml")
	program.Env = append(os.Environ(), asProgram+"=1")
	out, err := program.CombinedOutput()
	if code := program.ProcessState.ExitCode(); code != 2 || !strings.Contains(string(out), "use json or text") {
		t.Errorf("exit status %d (%v), output %q", code, err, out)
	}
}

// serves waits until a page of the program holds a text, for as long as the program runs.
func serves(t *testing.T, stopped <-chan error, url, want string) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	last := ""
	for !strings.Contains(last, want) {
		select {
		case err := <-stopped:
			t.Fatalf("the program ended: %v", err)
		case <-deadline:
			t.Fatalf("%s does not say %q but %q", url, want, last)
		case <-tick.C:
			last = page(url)
		}
	}
}

// page is what a URL answers, or why it does not.
func page(url string) string {
	answer, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := loopback.Address()
	if err != nil {
		t.Fatal(err)
	}
	return address
}
