package api_test

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// built is what a directory of config/ builds, by kind.
type built struct {
	all         []metav1.PartialObjectMetadata
	deployments map[string]*appsv1.Deployment
	services    map[string]*corev1.Service
	budgets     map[string]*policyv1.PodDisruptionBudget
	policies    map[string]*networkingv1.NetworkPolicy
}

// build has kubectl build a directory.
func build(t *testing.T, dir string) *built {
	t.Helper()
	b := &built{
		deployments: map[string]*appsv1.Deployment{}, services: map[string]*corev1.Service{},
		budgets: map[string]*policyv1.PodDisruptionBudget{}, policies: map[string]*networkingv1.NetworkPolicy{},
	}
	for text := range strings.SplitSeq(kubectl(t, "kustomize", dir), "\n---\n") {
		var object metav1.PartialObjectMetadata
		read(t, text, &object)
		b.all = append(b.all, object)
		switch object.Kind {
		case "Deployment":
			keep(t, text, b.deployments)
		case "Service":
			keep(t, text, b.services)
		case "PodDisruptionBudget":
			keep(t, text, b.budgets)
		case "NetworkPolicy":
			keep(t, text, b.policies)
		}
	}
	return b
}

func read(t *testing.T, text string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
}

// keep reads an object into those of its kind, by name.
func keep[T any, P interface {
	*T
	client.Object
}](t *testing.T, text string, kept map[string]P) {
	t.Helper()
	object := P(new(T))
	read(t, text, object)
	kept[object.GetName()] = object
}

// chosen are the Deployments of a namespace whose pods a selector takes, sorted.
func (b *built) chosen(t *testing.T, namespace string, selector *metav1.LabelSelector) []string {
	t.Helper()
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for name, deployment := range b.deployments {
		if deployment.Namespace == namespace && parsed.Matches(labels.Set(deployment.Spec.Template.Labels)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// TestSelectors holds everything that chooses pods by label to the pods it means.
func TestSelectors(t *testing.T) {
	t.Parallel()
	trial := build(t, filepath.Join(withTrialKeys(t), "trial"))
	const emulator, display = "ess-emulator", "event-display"
	got := map[string][]string{}
	for name, s := range trial.services {
		got["Service "+name] = trial.chosen(t, s.Namespace, &metav1.LabelSelector{MatchLabels: s.Spec.Selector})
	}
	for name, b := range trial.budgets {
		got["PodDisruptionBudget "+name] = trial.chosen(t, b.Namespace, b.Spec.Selector)
	}
	for name, p := range trial.policies {
		got["NetworkPolicy "+name] = trial.chosen(t, p.Namespace, &p.Spec.PodSelector)
	}
	for name, d := range trial.deployments {
		got["Deployment "+name] = trial.chosen(t, d.Namespace, d.Spec.Selector)
		for _, spread := range d.Spec.Template.Spec.TopologySpreadConstraints {
			got["spread by "+spread.TopologyKey+" of "+name] = trial.chosen(t, d.Namespace, spread.LabelSelector)
		}
	}
	want := map[string][]string{
		"Service ess-operator-metrics":        {managerName},
		"Service ess-operator-receiver":       {receiverName},
		"Service ess-operator-receiver-admin": {receiverName},
		"Service " + emulator:                 {emulator},
		"Service " + display:                  {display},
	}
	for _, name := range []string{managerName, receiverName, emulator, display} {
		want["Deployment "+name], want["NetworkPolicy "+name] = []string{name}, []string{name}
	}
	for _, name := range []string{managerName, receiverName} {
		want["PodDisruptionBudget "+name] = []string{name}
		want["spread by kubernetes.io/hostname of "+name] = []string{name}
		want["spread by topology.kubernetes.io/zone of "+name] = []string{name}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what is chosen by label (-want +got):\n%s", diff)
	}
}

// TestSelectorsStay holds what nobody can change later: a Deployment's selector is immutable.
func TestSelectorsStay(t *testing.T) {
	t.Parallel()
	for name, deployment := range build(t, "../../config/default").deployments {
		want := map[string]string{
			"app.kubernetes.io/name":      "ess-operator",
			"app.kubernetes.io/component": strings.TrimPrefix(name, "ess-operator-"),
		}
		if diff := cmp.Diff(&metav1.LabelSelector{MatchLabels: want}, deployment.Spec.Selector); diff != "" {
			t.Errorf("selector of %s (-want +got):\n%s", name, diff)
		}
	}
}

func TestEverythingSaysWhoseItIs(t *testing.T) {
	t.Parallel()
	config := withTrialKeys(t)
	for dir, whole := range map[string]string{"default": "ess-operator", "operator": "ess-operator", "emulator": "ess-operator-trial"} {
		for _, object := range build(t, filepath.Join(config, dir)).all {
			if object.Labels["app.kubernetes.io/part-of"] != whole || object.Labels["app.kubernetes.io/managed-by"] != "kustomize" {
				t.Errorf("%s: %s %s has the labels %v", dir, object.Kind, object.Name, object.Labels)
			}
		}
	}
}

// TestRulesNameRealPorts follows each rule, and each Service, to the ports of the pods at its other end.
func TestRulesNameRealPorts(t *testing.T) {
	t.Parallel()
	trial := build(t, filepath.Join(withTrialKeys(t), "trial"))
	for name, policy := range trial.policies {
		own := trial.chosen(t, policy.Namespace, &policy.Spec.PodSelector)
		for _, rule := range policy.Spec.Ingress {
			trial.expectPorts(t, "policy "+name, rule.Ports, own)
		}
		for _, rule := range policy.Spec.Egress {
			for _, peer := range rule.To {
				if peer.PodSelector != nil {
					trial.expectPorts(t, "policy "+name, rule.Ports, trial.chosen(t, namespaceOf(policy, &peer), peer.PodSelector))
				}
			}
		}
	}
	for name, service := range trial.services {
		var ports []networkingv1.NetworkPolicyPort
		for _, port := range service.Spec.Ports {
			ports = append(ports, networkingv1.NetworkPolicyPort{Port: &port.TargetPort})
		}
		trial.expectPorts(t, "Service "+name, ports, trial.chosen(t, service.Namespace, &metav1.LabelSelector{MatchLabels: service.Spec.Selector}))
	}
}

// expectPorts holds the ports that something names to those of the pods.
func (b *built) expectPorts(t *testing.T, who string, ports []networkingv1.NetworkPolicyPort, deployments []string) {
	t.Helper()
	if len(deployments) == 0 {
		t.Errorf("%s is about nobody", who)
	}
	there := b.ports(deployments)
	for _, port := range ports {
		if !slices.Contains(there, *port.Port) {
			t.Errorf("%s names port %s of %v, which have %v", who, port.Port, deployments, there)
		}
	}
}

// namespaceOf is where the pods at a rule's other end are.
func namespaceOf(policy *networkingv1.NetworkPolicy, peer *networkingv1.NetworkPolicyPeer) string {
	if peer.NamespaceSelector == nil {
		return policy.Namespace
	}
	return peer.NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"]
}

// ports are those of the containers of some Deployments, by name and by number.
func (b *built) ports(deployments []string) (ports []intstr.IntOrString) {
	for _, name := range deployments {
		for _, container := range b.deployments[name].Spec.Template.Spec.Containers {
			for _, port := range container.Ports {
				ports = append(ports, intstr.FromString(port.Name), intstr.FromInt32(port.ContainerPort))
			}
		}
	}
	return ports
}

// TestNobodyElseIsLetIn lists who may talk to whom, so that no rule is wider than somebody meant.
func TestNobodyElseIsLetIn(t *testing.T) {
	t.Parallel()
	policies := build(t, "../../config/default").policies
	if got := slices.Sorted(maps.Keys(policies)); !slices.Equal(got, []string{managerName, receiverName}) {
		t.Fatalf("policies: %v", got)
	}
	both := []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress}
	for name, policy := range policies {
		if !slices.Equal(policy.Spec.PolicyTypes, both) {
			t.Errorf("%s leaves a direction open: %v", name, policy.Spec.PolicyTypes)
		}
		for _, rule := range policy.Spec.Ingress {
			public := slices.EqualFunc(rule.Ports, []string{"events"}, func(p networkingv1.NetworkPolicyPort, name string) bool {
				return p.Port.String() == name
			})
			if len(rule.From) == 0 && !public {
				t.Errorf("%s lets everybody in, not only to the port of events: %v", name, rule.Ports)
			}
		}
	}
	for _, rule := range policies[managerName].Spec.Egress {
		if len(rule.Ports) == 0 {
			t.Error("the manager may talk to every port of somebody")
		}
	}
}

// TestPoliciesAreAboutTheirOwnPods: a policy closes what it does not name. One that came with the emulator and was about the
// manager would cut the manager off, from DNS too, wherever the operator is installed without policies.
func TestPoliciesAreAboutTheirOwnPods(t *testing.T) {
	t.Parallel()
	config := withTrialKeys(t)
	for _, dir := range []string{"emulator", "default", "namespaced"} {
		whole := build(t, filepath.Join(config, dir))
		for name, policy := range whole.policies {
			if len(whole.chosen(t, policy.Namespace, &policy.Spec.PodSelector)) == 0 {
				t.Errorf("config/%s: the policy %s is about pods that something else brings", dir, name)
			}
		}
	}
}

// TestImagesAreOfThisVersion holds the manifests to the file VERSION, which names the tag of the images.
func TestImagesAreOfThisVersion(t *testing.T) {
	t.Parallel()
	version := strings.TrimSpace(readFile(t, "../../VERSION"))
	got := map[string]string{}
	for name, deployment := range build(t, filepath.Join(withTrialKeys(t), "trial")).deployments {
		for _, container := range deployment.Spec.Template.Spec.Containers {
			got[name] += container.Image + " " + string(container.ImagePullPolicy)
		}
	}
	want := map[string]string{}
	for name, program := range map[string]string{
		managerName: "manager", receiverName: "webhook-receiver", "ess-emulator": "ess-emulator", "event-display": "ess-emulator",
	} {
		want[name] = "ghcr.io/ess-operator/" + program + ":" + version + " IfNotPresent"
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
}
