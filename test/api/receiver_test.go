package api_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

const (
	receiverName = "ess-operator-receiver"
	routesSecret = "ess-operator-receiver-routes"
	adminSecret  = "ess-operator-receiver-admin"
)

// testReceiver holds what config/receiver adds to config/operator against the API server.
func testReceiver(t *testing.T) {
	kubectl(t, "apply", "-f", "../../config/emulator/namespaces.yaml") // no dry run sees a namespace of its own
	for name, dir := range map[string]string{
		"Knative": overlay(t, "resources: [%[1]s/default]\ncomponents: [%[1]s/knative]", ""),
		"Alone":   overlay(t, "resources: [%[1]s/operator]\ncomponents: [%[1]s/receiver]", ""),
		"Trial":   filepath.Join(withTrialKeys(t), "trial"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kubectl(t, "apply", "--dry-run=server", "--warnings-as-errors", "-k", dir)
			built := kubectl(t, "kustomize", dir)
			for _, deployment := range []string{receiverName, managerName} {
				if err := suite.client.Create(t.Context(), podOf(deploymentIn(t, built, deployment)), client.DryRunAll); err != nil {
					t.Errorf("a namespace that enforces Pod Security %q refuses %s: %v", "restricted", deployment, err)
				}
			}
		})
	}
	t.Run("Hardened", func(t *testing.T) { t.Parallel(); testHardened(t) })
	t.Run("Permissions", func(t *testing.T) { t.Parallel(); testReceiverPermissions(t) })
	t.Run("DataSurvives", func(t *testing.T) { t.Parallel(); testDataSurvives(t) })
}

// deploymentIn finds a Deployment among manifests.
func deploymentIn(t *testing.T, manifests, name string) *appsv1.Deployment {
	t.Helper()
	for text := range strings.SplitSeq(manifests, "\n---\n") {
		var deployment appsv1.Deployment
		if strings.Contains(text, "kind: Deployment\n") && yaml.Unmarshal([]byte(text), &deployment) == nil && deployment.Name == name {
			return &deployment
		}
	}
	t.Fatalf("there is no Deployment %s", name)
	return nil
}

// testHardened holds what Pod Security does not ask for.
func testHardened(t *testing.T) {
	deployment := deploymentIn(t, kubectl(t, "kustomize", "../../config/default"), receiverName)
	pod := deployment.Spec.Template.Spec
	container := pod.Containers[0]
	switch {
	case pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken:
		t.Error("the receiver gets a token of the cluster")
	case !*container.SecurityContext.ReadOnlyRootFilesystem:
		t.Error("the receiver may write where it should not")
	case deployment.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType || *deployment.Spec.Replicas != 1:
		t.Error("two receivers could want the journal at once")
	case container.ReadinessProbe.HTTPGet.Scheme != corev1.URISchemeHTTPS:
		t.Error("the admin port speaks TLS, and the probes do not")
	}
	for _, volume := range pod.Volumes {
		if volume.Projected != nil {
			t.Errorf("volume %s is projected: nothing of the API server belongs here", volume.Name)
		}
	}
}

// testReceiverPermissions asks the API server's authorizer.
func testReceiverPermissions(t *testing.T) {
	secret := func(verb, name string) authorizationv1.ResourceAttributes {
		return authorizationv1.ResourceAttributes{Namespace: systemNamespace, Verb: verb, Resource: "secrets", Name: name}
	}
	tests := map[string]struct {
		reason, account string
		action          authorizationv1.ResourceAttributes
		want            bool
	}{
		"WritesRoutes":       {"it renders them", managerName, secret("patch", routesSecret), true},
		"FillsAdminSecret":   {"it makes token and certificate", managerName, secret("patch", adminSecret), true},
		"ReadsAdminSecret":   {"it calls the admin port with what is there", managerName, secret("get", adminSecret), true},
		"WritesNoOther":      {"the receiver's key lies beside it", managerName, secret("patch", "ess-operator-receiver-tls"), false},
		"MakesNone":          {"the Secret comes with the manifests", managerName, secret("create", ""), false},
		"DeletesNone":        {"nor does it go", managerName, secret("delete", routesSecret), false},
		"ReceiverReadsNone":  {"it faces the internet", receiverName, secret("get", routesSecret), false},
		"ReceiverSeesNoPods": {"it has no business with the cluster", receiverName, authorizationv1.ResourceAttributes{Namespace: systemNamespace, Verb: "list", Resource: "pods"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			user := "system:serviceaccount:" + systemNamespace + ":" + tt.account
			gomega.NewWithT(t).Eventually(func() bool { return allowed(t, user, tt.action) }, patience, 50*time.Millisecond).
				Should(gomega.Equal(tt.want), tt.reason)
		})
	}
}

// testDataSurvives applies the manifests again, as a GitOps tool does all the time.
func testDataSurvives(t *testing.T) {
	for _, name := range []string{routesSecret, adminSecret} {
		secret := &corev1.Secret{}
		key := client.ObjectKey{Namespace: systemNamespace, Name: name}
		if err := suite.client.Get(t.Context(), key, secret); err != nil {
			t.Fatal(err)
		}
		before := secret.DeepCopy()
		secret.Data = map[string][]byte{"written": []byte("by the manager")}
		if err := suite.client.Patch(t.Context(), secret, client.MergeFrom(before)); err != nil {
			t.Fatal(err)
		}
		kubectl(t, "apply", "-k", "../../config/default")
		if err := suite.client.Get(t.Context(), key, secret); err != nil || len(secret.Data) != 1 {
			t.Errorf("after applying the manifests again Secret %s holds %q (%v)", name, secret.Data, err)
		}
	}
	for _, file := range []string{"routes.yaml", "admin.yaml"} {
		shown := kubectl(t, "apply", "--server-side", "--force-conflicts", "--dry-run=server", "-o", "yaml", "-f", "../../config/receiver/"+file)
		if !strings.Contains(shown, "written:") {
			t.Errorf("a server-side apply of %s takes away what the manager wrote:\n%s", file, shown)
		}
	}
}

// TestReceiverTakesItsConfiguration has the receiver itself read what the manifests give it.
func TestReceiverTakesItsConfiguration(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"../../config/receiver/config.yaml", "../../config/trial/receiver.yaml"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			var config corev1.ConfigMap
			if err := yaml.Unmarshal([]byte(readFile(t, file)), &config); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			content := strings.ReplaceAll(config.Data["config.yaml"], "/etc/receiver", dir)
			writeFile(t, filepath.Join(dir, "config.yaml"), content)
			writeFile(t, filepath.Join(dir, "routes.yaml"), "subscriptions: []\n")
			writeFile(t, filepath.Join(dir, "admin", "token"), "a-token-of-some-length\n")
			for _, name := range []string{"tls", "admin"} {
				certificate, key := keyPair(t)
				writeFile(t, filepath.Join(dir, name, "tls.crt"), certificate)
				writeFile(t, filepath.Join(dir, name, "tls.key"), key)
			}
			keys := trialKeys(t, filepath.Join(dir, "keys"))
			writeFile(t, filepath.Join(dir, "proof", "ca.pem"), readFile(t, filepath.Join(keys, "ca.crt")))
			writeFile(t, filepath.Join(dir, "proof", "concur.pem"), readFile(t, filepath.Join(keys, "signing-key.pem")))
			program := exec.CommandContext(t.Context(), "go", "run", "../../webhook-receiver", "check",
				"--config="+filepath.Join(dir, "config.yaml"), "--routes="+filepath.Join(dir, "routes.yaml"))
			if out, err := program.CombinedOutput(); err != nil {
				t.Errorf("the receiver does not take it: %v\n%s", err, out)
			}
		})
	}
}
