package api_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// trialKeys writes the keys of the trial as "make trial-keys" does, into a directory that it returns.
func trialKeys(t *testing.T, dir string) string {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "../../hack/trial-keys.sh", dir).CombinedOutput(); err != nil {
		t.Fatalf("hack/trial-keys.sh: %v\n%s", err, out)
	}
	return dir
}

// withTrialKeys returns a copy of config/ in which there are keys for config/emulator, whether or not there are any
// in the original.
func withTrialKeys(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS("../../config")); err != nil {
		t.Fatal(err)
	}
	keys := filepath.Join(dir, "emulator", "keys")
	if err := os.RemoveAll(keys); err != nil {
		t.Fatal(err)
	}
	trialKeys(t, keys)
	return dir
}
