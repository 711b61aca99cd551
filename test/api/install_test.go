package api_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const installPage = "../../docs/install.md"

// documented are the blocks of YAML that docs/install.md shows.
func documented(t *testing.T) (blocks []string) {
	t.Helper()
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(readFile(t, installPage), -1) {
		blocks = append(blocks, block[1])
	}
	if len(blocks) < 6 {
		t.Fatalf("docs/install.md shows %d blocks of YAML, want at least 6", len(blocks))
	}
	return blocks
}

// testDocumented applies what docs/install.md shows, as it stands, to the API server and to the definitions of others.
func testDocumented(t *testing.T) {
	for _, name := range []string{"cert-manager.io_certificates", "monitoring.coreos.com_prometheusrules", "monitoring.coreos.com_servicemonitors"} {
		file := "testdata/" + name + ".yaml"
		kubectl(t, "apply", "--server-side", "-f", file)
		kubectl(t, "wait", "--for=condition=Established", "--timeout="+patience.String(), "-f", file)
	}
	err := suite.plane.Serves(t.Context(), "certificates.cert-manager.io", "prometheusrules.monitoring.coreos.com", "servicemonitors.monitoring.coreos.com")
	if err != nil {
		t.Fatal(err)
	}
	kubectl(t, "create", "namespace", "concur") // of one of the overlays
	config, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(config, os.DirFS("../../config")); err != nil {
		t.Fatal(err)
	}
	for i, block := range documented(t) {
		name := fmt.Sprint("block", i+1)
		dir := filepath.Join(config, name)
		target, how, file := filepath.Join(dir, "object.yaml"), "-f", "object.yaml"
		if strings.Contains(block, "kind: Kustomization\n") {
			target, how, file = dir, "-k", "kustomization.yaml"
		}
		writeFile(t, filepath.Join(dir, file), block)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shown := kubectl(t, "apply", "--dry-run=server", "--warnings-as-errors", "--validate=strict", "-o", "yaml", how, target)
			if strings.Contains(shown, "change-me") || strings.Contains(shown, "example.invalid") {
				t.Errorf("a patch that is shown leaves what has to be changed:\n%s\n%s", block, shown)
			}
		})
	}
}

// TestCertificateIsForTheReceiver holds config/cert-manager to the name that the receiver mounts.
func TestCertificateIsForTheReceiver(t *testing.T) {
	t.Parallel()
	var certificate struct {
		Spec struct{ SecretName string }
	}
	if err := yaml.Unmarshal([]byte(readFile(t, "../../config/cert-manager/certificate.yaml")), &certificate); err != nil {
		t.Fatal(err)
	}
	receiver := build(t, "../../config/default").deployments[receiverName]
	for _, volume := range receiver.Spec.Template.Spec.Volumes {
		if volume.Name == "tls" && volume.Secret.SecretName == certificate.Spec.SecretName {
			return
		}
	}
	t.Errorf("the receiver mounts no Secret %q", certificate.Spec.SecretName)
}

// TestNewURLReplacesTheManager holds the overlay that people begin with, and the example for Argo CD, to what makes the manager
// read the URL.
func TestNewURLReplacesTheManager(t *testing.T) {
	t.Parallel()
	for name, kustomization := range map[string]string{
		"docs/install.md": documented(t)[0], "argocd/examples": readFile(t, "../../argocd/examples/app-of-apps/operator/kustomization.yaml"),
	} {
		local := regexp.MustCompile(`(?m)^resources:.*(\n- .*)*$`).ReplaceAllString(kustomization, "resources: [%s]")
		for _, url := range []string{"https://events.example.com", "https://other.example.com"} {
			text := strings.ReplaceAll(local, "https://events.example.com", url)
			pod := build(t, overlay(t, text, "default")).deployments[managerName].Spec.Template
			if got := pod.Annotations["concur.ess-operator.io/receiver-url"]; got != url {
				t.Errorf("%s: the manager's pod has the URL %q, want %q", name, got, url)
			}
		}
	}
}

// TestEveryDirectoryIsDocumented holds docs/install.md to what there is to install.
func TestEveryDirectoryIsDocumented(t *testing.T) {
	t.Parallel()
	found, err := filepath.Glob("../../config/*/kustomization.yaml")
	if err != nil || len(found) < 10 {
		t.Fatalf("found %v (%v)", found, err)
	}
	page := readFile(t, installPage)
	for _, file := range found {
		if name := "`config/" + filepath.Base(filepath.Dir(file)) + "`"; !strings.Contains(page, name) {
			t.Errorf("docs/install.md does not mention %s", name)
		}
	}
}
