package api_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// Where config/default puts the manager.
const (
	systemNamespace = "ess-operator-system"
	managerName     = "ess-operator-manager"
)

func TestDefaultInstalls(t *testing.T) {
	t.Parallel()
	kubectl(t, "apply", "--warnings-as-errors", "-k", "../../config/default")

	t.Run("PodSecurity", func(t *testing.T) { t.Parallel(); testPodSecurity(t) })
	t.Run("ManagerPermissions", func(t *testing.T) { t.Parallel(); testManagerPermissions(t) })
	t.Run("UserRoles", func(t *testing.T) { t.Parallel(); testUserRoles(t) })
	t.Run("OperatorAlone", func(t *testing.T) {
		t.Parallel()
		kubectl(t, "apply", "--dry-run=server", "--warnings-as-errors", "-k", overlay(t, "resources: [%[1]s/operator]\ncomponents: [%[1]s/network-policy]", ""))
	})
	t.Run("Receiver", func(t *testing.T) { t.Parallel(); testReceiver(t) })
	t.Run("Documented", func(t *testing.T) { t.Parallel(); testDocumented(t) })
	t.Run("Again", func(t *testing.T) { t.Parallel(); testAppliedAgain(t) })
}

// testAppliedAgain applies what is there already, which must change nothing.
func testAppliedAgain(t *testing.T) {
	for line := range strings.Lines(kubectl(t, "apply", "-k", "../../config/default")) {
		if strings.HasPrefix(line, "poddisruptionbudget.policy/") {
			continue // kubectl sends its selector every time, as the strategy of that field is to replace it
		}
		if !strings.HasSuffix(line, " unchanged\n") {
			t.Errorf("what the API server keeps differs from what was applied: %s", line)
		}
	}
	kubectl(t, "apply", "--server-side", "--dry-run=server", "-k", "../../config/default") // and no conflict with the first
	var budgets policyv1.PodDisruptionBudgetList
	if err := suite.client.List(t.Context(), &budgets, client.InNamespace(systemNamespace)); err != nil || len(budgets.Items) != 2 {
		t.Fatalf("there are %d budgets, want two (%v)", len(budgets.Items), err)
	}
	for i := range budgets.Items {
		if budgets.Items[i].Generation != 1 {
			t.Errorf("applying PodDisruptionBudget %s again changed it", budgets.Items[i].Name)
		}
	}
}

// testPodSecurity holds the pods that the Deployment would make against the
// label of their namespace, which a Deployment itself is not.
func testPodSecurity(t *testing.T) {
	var deployment appsv1.Deployment
	key := types.NamespacedName{Namespace: systemNamespace, Name: managerName}
	if err := suite.client.Get(t.Context(), key, &deployment); err != nil {
		t.Fatal(err)
	}
	pod := podOf(&deployment)
	if err := suite.client.Create(t.Context(), pod.DeepCopy(), client.DryRunAll); err != nil {
		t.Errorf("a namespace that enforces Pod Security %q refuses the manager: %v", "restricted", err)
	}
	pod.Spec.Containers[0].SecurityContext.Capabilities = nil
	if err := suite.client.Create(t.Context(), pod, client.DryRunAll); err == nil {
		t.Error("a pod that keeps its capabilities is accepted too: nothing is enforced here")
	}
}

// podOf is a pod that a Deployment would make.
func podOf(deployment *appsv1.Deployment) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: deployment.Namespace, GenerateName: "p-", Labels: deployment.Spec.Template.Labels},
		Spec:       deployment.Spec.Template.Spec,
	}
}

func TestNamespaceOfDefaultCanChange(t *testing.T) {
	t.Parallel()
	built := kubectl(t, "kustomize", overlay(t, "namespace: concur\nresources: [%s]", "default"))
	if strings.Contains(built, systemNamespace) {
		t.Errorf("an overlay with another namespace still names %s", systemNamespace)
	}
	if n := strings.Count(built, "namespace: concur\n"); n < 5 {
		t.Errorf("an overlay with another namespace names it %d times, want it wherever there was one", n)
	}
}

// overlay writes a kustomization that names a directory of config/.
func overlay(t *testing.T, format, directory string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	target, err := filepath.Abs(filepath.Join("../../config", directory))
	if err != nil {
		t.Fatal(err)
	}
	base, err := filepath.Rel(dir, target) // kustomize takes no absolute paths
	if err != nil {
		t.Fatal(err)
	}
	content := fmt.Sprintf(format, base) + "\n"
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSamplesAreValid(t *testing.T) {
	t.Parallel()
	kubectl(t, "create", "namespace", "finance")
	kubectl(t, "apply", "-k", "../../config/samples")

	var sub v1alpha1.EventSubscription
	key := types.NamespacedName{Namespace: "finance", Name: "expense-reports"}
	if err := suite.client.Get(t.Context(), key, &sub); err != nil {
		t.Fatal(err)
	}
	var conn v1alpha1.ConcurConnection
	key = types.NamespacedName{Namespace: sub.EffectiveConnectionNamespace(), Name: sub.Spec.ConnectionRef.Name}
	if err := suite.client.Get(t.Context(), key, &conn); err != nil {
		t.Fatalf("the connection that the subscription refers to: %v", err)
	}
	var secret corev1.Secret
	key = types.NamespacedName{Namespace: conn.Namespace, Name: conn.Spec.CredentialsSecretRef.Name}
	if err := suite.client.Get(t.Context(), key, &secret); err != nil {
		t.Fatalf("the Secret that the connection refers to: %v", err)
	}
	id, clientSecret := conn.Spec.CredentialsSecretRef.EffectiveKeys()
	for _, name := range []string{id, clientSecret} {
		if len(secret.Data[name]) == 0 {
			t.Errorf("the Secret has nothing under the key %q that the connection reads", name)
		}
	}
}

func TestReadmeShowsTheSample(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "```yaml\n")
	shown, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("the README shows no YAML")
	}
	sample, err := os.ReadFile("../../config/samples/concur_v1alpha1_eventsubscription.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(string(sample), shown) { // behind its comment
		t.Errorf("the README shows\n%s\nand the sample is\n%s", shown, sample)
	}
}
