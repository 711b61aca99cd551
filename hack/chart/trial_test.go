package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestTrialValues holds config/trial/values.yaml against config/trial, which has the
// emulator's objects besides.
func TestTrialValues(t *testing.T) {
	t.Parallel()
	values, err := os.ReadFile(filepath.Join(root, "config/trial/values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	config := copyOfConfig(t)
	want := withoutOrigin(t, kustomized(t, filepath.Join(config, "trial")))
	for id := range kustomized(t, filepath.Join(config, "emulator")) {
		if _, ok := want[id]; !ok {
			t.Errorf("config/trial does not have %s of config/emulator", id)
		}
		delete(want, id)
	}
	objects := rendered(t, standard, string(values))
	for object, annotation := range map[string]string{managerObject: receiverURL, receiverObject: restartFor} {
		if podAnnotations(objects[object])[annotation] == nil {
			t.Errorf("%s has no annotation %s", object, annotation)
		}
	}
	checkSame(t, want, withoutOrigin(t, objects))
}

// copyOfConfig copies config/, adds files where config/emulator wants keys, and returns
// where it is.
func copyOfConfig(t *testing.T) string {
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
	names := regexp.MustCompile(`keys/[a-z.-]+`).FindAllString(string(kustomization), -1)
	if len(names) < 10 {
		t.Fatalf("config/emulator wants the keys %v only", names)
	}
	for _, name := range names {
		writeFile(t, filepath.Join(config, "emulator", name), "caBundle=eA==\n")
	}
	return config
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
