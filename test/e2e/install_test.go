//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What is installed, and from where.
const (
	trial        = "config/trial"
	emulator     = "config/emulator"
	chart        = "charts/ess-operator"
	trialValues  = "config/trial/values.yaml"
	release      = "ess-operator"
	routesSecret = "ess-operator-receiver-routes"
)

// Objects of config/emulator.
const (
	connectionName   = "acme-us"
	subscriptionName = "expense-reports"
	connection       = "concurconnection/" + connectionName
	subscription     = "eventsubscription/" + subscriptionName
	sinkLabels       = "app.kubernetes.io/name=" + sinkName
	topic            = "public.concur.expense.report"
	company          = "12fc85ee-6f43-4d85-ba0d-94e844849dc1"
)

// applied applies a folder of manifests.
func (s *suite) applied(ctx context.Context, folder string) {
	s.t.Helper()
	s.kubectl(ctx, "apply", "-k", folder)
}

// removed deletes what a folder of manifests brought.
func (s *suite) removed(ctx context.Context, folder string) {
	s.t.Helper()
	s.kubectl(ctx, "delete", "-k", folder, "--ignore-not-found", "--timeout=90s")
}

// helm runs helm in the module's root.
func (s *suite) helm(ctx context.Context, args ...string) {
	s.t.Helper()
	_, problems, err := run(ctx, nil, s.helmPath, args...)
	s.must(err)
	s.mustNotWarn(problems)
}

// nothingLeft is for an installation that has been taken away.
func (s *suite) nothingLeft(ctx context.Context) {
	s.t.Helper()
	s.eventually(ctx, "nothing is left in the cluster", func(ctx context.Context) error {
		left, err := s.foreign(ctx)
		if err == nil && len(left) > 0 {
			err = fmt.Errorf("there is still %s", strings.Join(left, ", "))
		}
		return err
	})
}

// rolledOut waits for the pods of both Deployments.
func (s *suite) rolledOut(ctx context.Context) {
	s.t.Helper()
	for _, name := range []string{managerName, receiverName} {
		s.kubectl(ctx, "rollout", "status", "-n", operatorNamespace, "deployment/"+name)
	}
}

// subscribed waits until the connection and the subscription of config/emulator are ready.
func (s *suite) subscribed(ctx context.Context) {
	s.t.Helper()
	s.kubectl(ctx, "wait", "-n", trialNamespace, "--for=condition=Ready", "--timeout=5m", connection, subscription)
}

// eventShown waits for an event in the log of the sink, as the README does with kubectl logs.
func (s *suite) eventShown(ctx context.Context) {
	s.t.Helper()
	s.eventually(ctx, "an event is in the sink's log", func(ctx context.Context) error {
		log, err := s.tryKubectl(ctx, "logs", "-n", trialNamespace, "deployment/"+sinkName)
		if err != nil {
			return err
		}
		for line := range strings.Lines(log) {
			if strings.Contains(line, "com.concur.expense.report.") {
				s.note("%s", strings.TrimSpace(line))
				return nil
			}
		}
		return fmt.Errorf("no event is in it:\n%s", log)
	})
}

// restricted holds the pods of the operator to what the restricted standard and our own rules ask for, as the API server and
// the kubelet see them. None may have been restarted. Labelling the namespace again, which Helm's users do themselves, lets
// the API server warn of pods that would not be admitted.
func (s *suite) restricted(ctx context.Context) {
	s.t.Helper()
	s.kubectl(ctx, "label", "namespace", operatorNamespace, "--overwrite", "pod-security.kubernetes.io/enforce=restricted")
	namespace, err := s.clientset.CoreV1().Namespaces().Get(ctx, operatorNamespace, metav1.GetOptions{})
	s.must(err)
	if got := namespace.Labels["pod-security.kubernetes.io/enforce"]; got != "restricted" {
		s.t.Errorf("the namespace enforces %q, want restricted", got)
	}
	pods, err := s.clientset.CoreV1().Pods(operatorNamespace).List(ctx, metav1.ListOptions{})
	s.must(err)
	if len(pods.Items) < 2 {
		s.t.Errorf("%d pods run, want the manager's and the receiver's", len(pods.Items))
	}
	for i := range pods.Items {
		for _, fault := range faults(&pods.Items[i]) {
			s.t.Errorf("pod %s: %s", pods.Items[i].Name, fault)
		}
	}
}

// rule is something that a pod has to keep to.
type rule struct {
	holds bool
	fault string
}

// faults are what a pod does not keep to.
func faults(pod *corev1.Pod) []string {
	whole := pod.Spec.SecurityContext
	seccomp := whole.SeccompProfile
	rules := []rule{
		{isTrue(whole.RunAsNonRoot) && whole.RunAsUser != nil && *whole.RunAsUser == 65532, "may run as another user than 65532"},
		{seccomp != nil && seccomp.Type == corev1.SeccompProfileTypeRuntimeDefault, "has no seccomp profile"},
		{isFalse(pod.Spec.AutomountServiceAccountToken) || !strings.HasPrefix(pod.Name, receiverName), "has a token of the cluster"},
	}
	for i := range pod.Spec.Containers {
		rules = append(rules, confined(pod.Spec.Containers[i].SecurityContext)...)
	}
	for i := range pod.Status.ContainerStatuses {
		rules = append(rules, healthy(&pod.Status.ContainerStatuses[i])...)
	}
	var found []string
	for _, r := range rules {
		if !r.holds {
			found = append(found, r.fault)
		}
	}
	return found
}

func isTrue(b *bool) bool  { return b != nil && *b }
func isFalse(b *bool) bool { return b != nil && !*b }

// confined is what holds for a container as it was asked for.
func confined(own *corev1.SecurityContext) []rule {
	dropped := own.Capabilities
	return []rule{
		{isTrue(own.ReadOnlyRootFilesystem), "can write to its root"},
		{isFalse(own.AllowPrivilegeEscalation), "can get more privileges"},
		{dropped != nil && len(dropped.Add) == 0 && slices.Equal(dropped.Drop, []corev1.Capability{"ALL"}), "has capabilities"},
	}
}

// healthy is what holds for a container as it runs. Not every runtime tells the user.
func healthy(status *corev1.ContainerStatus) []rule {
	rules := []rule{
		{status.Ready, "is not ready"},
		{status.RestartCount == 0, fmt.Sprintf("was restarted %d times", status.RestartCount)},
	}
	if user := status.User; user != nil && user.Linux != nil {
		rules = append(rules, rule{user.Linux.UID == 65532, fmt.Sprintf("runs as user %d", user.Linux.UID)})
	}
	return rules
}
