package controlplane

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFindAssetsInTheNamedDirectory(t *testing.T) {
	cases := map[string]struct {
		reason   string
		programs []string
		opts     Options
		want     string // part of the error; empty for success
	}{
		"AllThere": {
			reason:   "KUBEBUILDER_ASSETS overrides what is built.",
			programs: []string{etcd, apiServer, kubectl, controllerManager},
		},
		"WithoutControllers": {
			reason:   "Published test assets have no kube-controller-manager, which serves whoever needs none.",
			programs: []string{etcd, apiServer, kubectl},
			opts:     Options{WithoutControllers: true},
		},
		"ControllersMissing": {
			reason:   "The same assets must be refused where they would make namespaces stay for ever.",
			programs: []string{etcd, apiServer, kubectl},
			want:     "kube-controller-manager is missing",
		},
		"Empty": {
			reason: "A wrong path must say what is missing there.",
			want:   "etcd is missing",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, p := range tc.programs {
				writeFile(t, filepath.Join(dir, p), "")
			}
			t.Setenv(assetsVariable, dir)

			got, err := findAssets(tc.opts)
			if tc.want == "" && (err != nil || got != dir) {
				t.Errorf("%s\nfindAssets() = %q, %v; want %q", tc.reason, got, err, dir)
			}
			if tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("%s\nerror = %v, want %q in it", tc.reason, err, tc.want)
			}
		})
	}
}

func TestFindAssetsInTheModule(t *testing.T) {
	root := t.TempDir()
	writeFile(t, filepath.Join(root, "go.mod"), "module example.com/m\n")
	writeFile(t, filepath.Join(root, "hack/controlplane/kubernetes/go.mod"),
		"module example.com/k\n\nrequire (\n\tk8s.io/kubernetes v1.2.3 // indirect\n)\n")
	writeFile(t, filepath.Join(root, "hack/chart/go.mod"), "module example.com/m/hack/chart\n") // not the root
	below := filepath.Join(root, "hack", "chart", "suite")
	if err := os.MkdirAll(below, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv(assetsVariable, "")
	t.Chdir(below)

	if _, err := findAssets(Options{}); !errors.Is(err, errNotBuilt) {
		t.Errorf("error = %v, want advice to build", err)
	}
	want := filepath.Join(root, "bin/k8s/v1.2.3")
	for _, p := range []string{etcd, apiServer, kubectl, controllerManager} {
		writeFile(t, filepath.Join(want, p), "")
	}
	if got, err := findAssets(Options{}); err != nil || got != want {
		t.Errorf("findAssets() = %q, %v; want %q", got, err, want)
	}
}

func TestPinnedVersionRefusesAModuleWithoutKubernetes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "go.mod")
	writeFile(t, path, "module example.com/k\n\nreplace k8s.io/kubernetes => ../k\n")
	if got, err := pinnedVersion(path); err == nil {
		t.Errorf("pinnedVersion() = %q, want an error", got)
	}
}

func TestStartRefusesADirectoryInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "precious"), "data")
	if got, err := makeDir(dir); err == nil {
		t.Errorf("makeDir() = %q, want a refusal: another's files would be mixed with ours", got)
	}
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
