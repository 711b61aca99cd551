package controlplane

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The programs of a control plane.
const (
	etcd              = "etcd"
	apiServer         = "kube-apiserver"
	controllerManager = "kube-controller-manager"
	kubectl           = "kubectl"
)

// assetsVariable is what the tests of Kubernetes projects agree on.
const assetsVariable = "KUBEBUILDER_ASSETS"

// pinFile says which Kubernetes there should be, from the root.
const pinFile = "hack/controlplane/kubernetes/go.mod"

// errNotBuilt: the programs are not where they should be.
var errNotBuilt = errors.New("the control plane is not built: run `make controlplane` (some minutes, once)")

// findAssets returns the directory that holds every program opts needs.
func findAssets(opts Options) (string, error) {
	needed := []string{etcd, apiServer, kubectl}
	if !opts.WithoutControllers {
		needed = append(needed, controllerManager)
	}
	if dir := os.Getenv(assetsVariable); dir != "" {
		if absent := absentFrom(dir, needed); absent != "" {
			return "", fmt.Errorf("%s names %s, where %s is missing: "+
				"add it there, or unset the variable and run `make controlplane`", assetsVariable, dir, absent)
		}
		return filepath.Abs(dir)
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	version, err := pinnedVersion(filepath.Join(root, pinFile))
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, "bin", "k8s", version)
	if absent := absentFrom(dir, needed); absent != "" {
		return "", fmt.Errorf("looking for %s in %s: %w", absent, dir, errNotBuilt)
	}
	return dir, nil
}

// absentFrom returns the first of names that is no file of dir, or nothing.
func absentFrom(dir string, names []string) string {
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.IsDir() {
			return name
		}
	}
	return ""
}

// moduleRoot is the nearest directory with a go.mod and with hack/controlplane, from
// where go test runs: the directory of the package under test, which may be in a module
// of its own below.
func moduleRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if absentFrom(dir, []string{"go.mod", pinFile}) == "" {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("finding the root of the Go module above %s: no %s there; run inside the repository", start, pinFile)
		}
	}
}

// pinnedVersion reads the version of Kubernetes that a go.mod requires, such as v1.36.3.
func pinnedVersion(goMod string) (string, error) {
	file, err := os.Open(goMod)
	if err != nil {
		return "", err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		words := strings.Fields(strings.TrimPrefix(lines.Text(), "require "))
		if len(words) >= 2 && words[0] == "k8s.io/kubernetes" && strings.HasPrefix(words[1], "v") {
			return words[1], nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", err
	}
	return "", fmt.Errorf("reading %s: it requires no k8s.io/kubernetes", goMod)
}
