package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ess-operator/ess-operator/test/controlplane"
)

// plane is a real API server, for all tests.
var plane *controlplane.ControlPlane

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := withPlane(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "chart suite:", err)
		code = 1
	}
	os.Exit(code)
}

func withPlane(m *testing.M) (code int, err error) {
	plane, err = controlplane.Start(context.Background(), controlplane.Options{WithoutControllers: true})
	if err != nil {
		return 1, err
	}
	steps := [][]string{{"create", "namespace", "watched"}}
	for _, name := range []string{"cert-manager.io_certificates", "monitoring.coreos.com_prometheusrules", "monitoring.coreos.com_servicemonitors"} {
		definition := filepath.Join(root, "test/api/testdata", name+".yaml")
		steps = append(steps, []string{"apply", "--server-side", "-f", definition}, []string{"wait", "--for=condition=Established", "--timeout=3m", "-f", definition})
	}
	for _, args := range steps {
		if _, err := plane.Kubectl(context.Background(), args...); err != nil {
			return 1, errors.Join(err, plane.Stop())
		}
	}
	if err := plane.Serves(context.Background(), "certificates.cert-manager.io", "prometheusrules.monitoring.coreos.com", "servicemonitors.monitoring.coreos.com"); err != nil {
		return 1, errors.Join(err, plane.Stop())
	}
	defer func() {
		if stopErr := plane.Stop(); err == nil {
			err = stopErr
		}
	}()
	return m.Run(), nil
}

// TestClusterTakesIt gives what the chart renders to the API server, which warns of
// fields that it does not know and of pods that the standard "restricted" refuses.
func TestClusterTakesIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		release where
		values  string
	}{
		"default":    {where{"ess-operator", "default-values"}, "{crds: {keep: false}}"},
		"everything": {where{"prod", "everything"}, everything},
		"proxy":      {where{"prod", "behind-proxy"}, "{receiver: {publicURL: 'https://e.example.com', tls: {enabled: false}, ingress: {enabled: true}, persistence: {enabled: false}}}"},
		"watching":   {where{"prod", "watching"}, "{manager: {watchNamespaces: [watched]}, rbac: {clusterReads: true, namespaceDeletion: true}}"},
		"operator":   {where{"prod", "operator-alone"}, "{receiver: {enabled: false}}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := helm(c.release, c.values)
			if err != nil {
				t.Fatal(err)
			}
			namespace := fmt.Sprintf("{apiVersion: v1, kind: Namespace, metadata: {name: %s, labels: {pod-security.kubernetes.io/enforce: restricted, pod-security.kubernetes.io/warn: restricted}}}", c.release.namespace)
			if _, err := plane.KubectlInput(t.Context(), strings.NewReader(namespace), "apply", "-f", "-"); err != nil {
				t.Fatal(err)
			}
			for _, how := range [][]string{{"--server-side", "--force-conflicts"}, {}} {
				args := append([]string{"apply", "--dry-run=server", "--validate=strict", "--warnings-as-errors", "-f", "-"}, how...)
				out, err := plane.KubectlInput(t.Context(), strings.NewReader(r.Manifest), args...)
				if err != nil {
					t.Errorf("the API server refuses the chart: %v", err)
				}
				if n, want := strings.Count(string(out), "\n"), len(byName(t, r.Manifest)); n < want {
					t.Errorf("kubectl says %d lines of %d objects:\n%s", n, want, out)
				}
			}
		})
	}
}

// TestAppliedTwice is "helm template | kubectl apply", then the same again: what the
// programs have put into the Secrets stays, and nothing changes.
func TestAppliedTwice(t *testing.T) {
	t.Parallel()
	release := where{"twice", "applied-twice"}
	r, err := helm(release, "{crds: {install: false}}") // which one release of a cluster has
	if err != nil {
		t.Fatal(err)
	}
	kubectl(t, "", "create", "namespace", release.namespace)
	kubectl(t, r.Manifest, "apply", "-f", "-")
	kubectl(t, "", "patch", "secret", "-n", release.namespace, "twice-ess-operator-receiver-routes", "--type=merge", "-p", `{"data":{"routes.yaml":"e30="}}`)
	for line := range strings.Lines(kubectl(t, r.Manifest, "apply", "-f", "-")) {
		if strings.HasPrefix(line, "poddisruptionbudget.policy/") {
			continue // kubectl sends its selector every time, as the strategy of that field is to replace it
		}
		if !strings.HasSuffix(line, " unchanged\n") {
			t.Errorf("what the API server keeps differs from what was applied: %s", line)
		}
	}
	if got := kubectl(t, "", "get", "secret", "-n", release.namespace, "twice-ess-operator-receiver-routes", "-o", "jsonpath={.data}"); !strings.Contains(got, "e30=") {
		t.Errorf("the routes are gone: the Secret has %s", got)
	}
}

func kubectl(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	out, err := plane.KubectlInput(t.Context(), strings.NewReader(stdin), args...)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// served waits until the API server has our kinds, whose definitions were made just now.
func served(t *testing.T) {
	t.Helper()
	kinds := []string{"concurconnections", "eventsubscriptions", "applicationconnectors"}
	for i := range kinds {
		kinds[i] += ".concur.ess-operator.io"
	}
	kubectl(t, "", append([]string{"wait", "--for=condition=Established", "--timeout=3m", "crd"}, kinds...)...)
	if err := plane.Serves(t.Context(), kinds...); err != nil {
		t.Fatal(err)
	}
}

// TestChartIsWritten holds the chart against what would be written now.
func TestChartIsWritten(t *testing.T) {
	t.Parallel()
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(filepath.Join(root, chartDir), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, _ := filepath.Rel(filepath.Join(root, chartDir), path)
		if content := readChart(t, name); content != files[name] {
			t.Errorf("%s is not what the manifests make: run `make generate`", name)
		}
		delete(files, name)
		return nil
	})
	if err != nil || len(files) > 0 {
		t.Errorf("%d files are missing (%v): run `make generate`", len(files), err)
	}
}

// TestNotesCanBePasted gives the objects that the notes show to the API server, as they
// stand there.
func TestNotesCanBePasted(t *testing.T) {
	t.Parallel()
	kubectl(t, "", "create", "namespace", "noted")
	definitions := filepath.Join(root, "config/crd/bases")
	kubectl(t, "", "apply", "--server-side", "--force-conflicts", "-f", definitions) // changes nothing after TestLifecycle
	served(t)
	for _, receiver := range []string{"true", "false"} {
		r, err := helm(standard, "{manager: {watchNamespaces: [noted]}, receiver: {enabled: "+receiver+"}}")
		if err != nil {
			t.Fatal(err)
		}
		_, objects, _ := strings.Cut(r.Info.Notes, "\nkubectl apply -f - <<'EOF'\n")
		objects, _, ok := strings.Cut(objects, "\nEOF\n") // a shell waits for the word in the first column
		if !ok {
			t.Fatalf("the notes show no objects:\n%s", r.Info.Notes)
		}
		out := kubectl(t, objects, "apply", "--dry-run=server", "--validate=strict", "--warnings-as-errors", "-f", "-")
		if strings.Count(out, "created") != 2 {
			t.Errorf("kubectl says\n%s", out)
		}
	}
}
