package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTrialValues holds config/trial/values.yaml against config/trial. It has the
// emulator's objects besides, and the chart two annotations that make pods follow
// settings which are read at their start.
func TestTrialValues(t *testing.T) {
	t.Parallel()
	values, err := os.ReadFile(filepath.Join(root, "config/trial/values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	config := withKeys(t)
	want := withoutOrigin(t, kustomized(t, config+"/trial"))
	for id := range kustomized(t, config+"/emulator") {
		if _, ok := want[id]; !ok {
			t.Errorf("config/trial does not have %s of config/emulator", id)
		}
		delete(want, id)
	}
	got := withoutOrigin(t, rendered(t, standard, string(values)))
	for object, annotation := range map[string]string{managerObject: "concur.ess-operator.io/receiver-url", receiverObject: "concur.ess-operator.io/restart-for"} {
		pod := got[object]["spec"].(map[string]any)["template"].(map[string]any)["metadata"].(map[string]any)["annotations"].(map[string]any)
		if pod[annotation] == nil {
			t.Errorf("%s has no annotation %s", object, annotation)
		}
		delete(pod, annotation)
	}
	if len(got) != len(want) {
		t.Errorf("the chart has %d objects, and config/trial %d beside the emulator's", len(got), len(want))
	}
	for id := range want {
		if diff := cmp.Diff(want[id], got[id]); diff != "" {
			t.Errorf("%s differs from config/trial (-kustomize +helm):\n%s", id, diff)
		}
	}
}

// withKeys copies config/, adds files where config/emulator wants keys, and returns where.
func withKeys(t *testing.T) string {
	t.Helper()
	config, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(config, os.DirFS(filepath.Join(root, "config"))); err != nil {
		t.Fatal(err)
	}
	kustomization, err := os.ReadFile(filepath.Join(config, "emulator/kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(config, "emulator/keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`keys/[a-z.-]+`).FindAllString(string(kustomization), -1)
	if len(names) < 10 {
		t.Fatalf("config/emulator wants the keys %v only", names)
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(config, "emulator", name), []byte("caBundle=eA==\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return config
}
