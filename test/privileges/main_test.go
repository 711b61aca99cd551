// Package privileges_test shows that the manager may do what it needs and nothing
// else. The real program runs as its own service account, with the flags of the
// manifests, on a real API server that writes an audit log, while a scenario has it
// do everything that it is for. Then the log is held against the rules: each verb
// on each resource that a role grants was used, and nothing was refused.
//
// It shows also what the manager writes: never the spec, labels or annotations of an
// object, and no Secret but the two that are made for it.
//
// When a rule is found unused, take it away, or add to the scenario what needs it.
package privileges_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

// program is the path of the manager under test, built with the race detector where there is one.
var program string

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "privileges suite:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctrl.SetLogger(logr.Discard()) // the test's own; the manager's is kept for failures
	dir, err := os.MkdirTemp("", "privileges-suite-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program = filepath.Join(dir, "manager")
	arguments := []string{"build", "-buildvcs=false", "-o", program} // no word of git's about its clone matters here
	if raceEnabled {
		arguments = append(arguments, "-race")
	}
	build := exec.CommandContext(context.Background(), "go", append(arguments, "../../cmd/manager")...)
	if output, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("building the manager: %w\n%s", err, output)
	}
	return m.Run(), nil
}
