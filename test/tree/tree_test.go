package tree_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ess-operator/ess-operator/test/tree"
)

// dependent makes this binary a suite that depends on the tree named.
const dependent = "TREE_TEST_DEPENDENT"

// TestDepend is what such a suite has.
func TestDepend(t *testing.T) {
	t.Parallel()
	root := os.Getenv(dependent)
	if root == "" {
		root = "../.."
	}
	if err := tree.Depend(root); err != nil {
		t.Error(err)
	}
}

// TestGoTestLearnsOfEachDirectory reads what a test binary tells go test of its inputs.
func TestGoTestLearnsOfEachDirectory(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, dir := range []string{"config/receiver", "cmd/bin", "bin/tools", ".git/objects"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	inputs := filepath.Join(t.TempDir(), "inputs")
	suite := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDepend$", "-test.testlogfile="+inputs)
	suite.Env = append(os.Environ(), dependent+"="+root)
	if out, err := suite.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(inputs)
	if err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]bool{
		"": true, "config": true, "config/receiver": true, "cmd/bin": true,
		"bin": false, "bin/tools": false, ".git": false, ".git/objects": false,
	} {
		if got := strings.Contains(string(text), "open "+filepath.Join(root, dir)+"\n"); got != want {
			t.Errorf("that results depend on %q is %t, want %t; all that they depend on:\n%s", dir, got, want, text)
		}
	}
}

func TestATreeThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	if err := tree.Depend(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
