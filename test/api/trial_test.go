package api_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// TestTrialTouchesNobody holds the trial to namespaces that nobody else has, since its end deletes them with all that is
// in them, and the pages that tell its commands to the one it uses.
func TestTrialTouchesNobody(t *testing.T) {
	t.Parallel()
	own := map[string]bool{"ess-operator-system": true, "ess-operator-trial": true, "concur-emulator": true}
	trial, namespaces := build(t, filepath.Join(withTrialKeys(t), "trial")), 0
	for _, object := range trial.all {
		namespace := object.Namespace
		if object.Kind == "Namespace" {
			namespace = object.Name
			namespaces++
		}
		if namespace != "" && !own[namespace] {
			t.Errorf("%s %s is in the namespace %s, which somebody may have", object.Kind, object.Name, namespace)
		}
	}
	sink := trial.deployments["event-display"].Namespace
	if namespaces != len(own) {
		t.Errorf("the trial brings %d namespaces, want %d", namespaces, len(own))
	}
	for _, page := range []string{"README.md", "docs/install.md", "charts/ess-operator/README.md"} {
		content, err := os.ReadFile(filepath.Join("../..", page))
		if err != nil {
			t.Fatal(err)
		}
		for _, command := range []string{"kubectl get eventsubscriptions -n ", "kubectl logs deploy/event-display -n "} {
			if !strings.Contains(string(content), command+sink+" ") {
				t.Errorf("%s does not have the command %q", page, command+sink)
			}
		}
	}
}
