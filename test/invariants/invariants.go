// Package invariants checks every status that the operator writes, in any
// test: the rules of kstatus, as kstatus itself reads them, and those of our
// own API. A [Watcher] sees each version of each object as a user's client
// would; a rule that is broken for a moment is broken.
package invariants

import (
	"fmt"
	"slices"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// onlyTrue are the conditions that are present only while True.
var onlyTrue = []string{
	v1alpha1.ReconcilingCondition, v1alpha1.StalledCondition, v1alpha1.DriftedCondition, v1alpha1.AtRiskCondition,
}

// exclusive are pairs of conditions that are never both True.
var exclusive = [][2]string{
	{v1alpha1.ReadyCondition, v1alpha1.ReconcilingCondition},
	{v1alpha1.ReadyCondition, v1alpha1.StalledCondition},
	{v1alpha1.ReadyCondition, v1alpha1.DriftedCondition},
	{v1alpha1.ReconcilingCondition, v1alpha1.StalledCondition},
}

// unseen is the observedGeneration of an object that the operator has not seen.
const unseen = -1

// Object is one of our kinds, as far as the rules look at it.
type Object interface {
	metav1.Object
	runtime.Object
}

// Check returns the rules that one version of an object breaks, each as a sentence.
func Check(o Object) []string {
	conditions, observed := statusOf(o)
	var broken []string
	fail := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	if len(conditions) == 0 && observed == unseen { // nothing was written yet, and nobody may take that for success
		checkKstatus(o, nil, observed, fail)
		return broken
	}
	if observed > o.GetGeneration() || observed < 1 {
		fail("observedGeneration is %d at generation %d", observed, o.GetGeneration())
	}
	for _, required := range always(o) {
		if meta.FindStatusCondition(conditions, required) == nil {
			fail("there is no condition %s", required)
		}
	}
	for i := range conditions {
		checkCondition(&conditions[i], observed, fail)
	}
	checkTogether(conditions, fail)
	checkKstatus(o, conditions, observed, fail)
	return broken
}

// always are the conditions that an object with a status has.
func always(o Object) []string {
	if _, ok := o.(*v1alpha1.EventSubscription); ok {
		return []string{v1alpha1.ReadyCondition, v1alpha1.SyncedCondition, v1alpha1.CompaniesConnectedCondition}
	}
	return []string{v1alpha1.ReadyCondition}
}

func statusOf(o Object) ([]metav1.Condition, int64) {
	switch o := o.(type) {
	case *v1alpha1.ConcurConnection:
		return o.Status.Conditions, o.Status.ObservedGeneration
	case *v1alpha1.EventSubscription:
		return o.Status.Conditions, o.Status.ObservedGeneration
	case *v1alpha1.ApplicationConnector:
		return o.Status.Conditions, o.Status.ObservedGeneration
	default:
		return nil, 0
	}
}

func checkCondition(c *metav1.Condition, observed int64, fail func(string, ...any)) {
	if slices.Contains(onlyTrue, c.Type) && c.Status != metav1.ConditionTrue {
		fail("%s is present and %s", c.Type, c.Status)
	}
	if !slices.Contains(v1alpha1.Reasons(), c.Reason) {
		fail("%s has the reason %q, which is not documented", c.Type, c.Reason)
	}
	if c.Message == "" {
		fail("%s has no message", c.Type)
	}
	if c.ObservedGeneration == 0 || c.ObservedGeneration > observed {
		fail("%s observed generation %d, the status %d", c.Type, c.ObservedGeneration, observed)
	}
}

func checkTogether(conditions []metav1.Condition, fail func(string, ...any)) {
	is := func(t string) bool { return meta.IsStatusConditionTrue(conditions, t) }
	for _, pair := range exclusive {
		if is(pair[0]) && is(pair[1]) {
			fail("%s and %s are both True", pair[0], pair[1])
		}
	}
	if risk := meta.FindStatusCondition(conditions, v1alpha1.AtRiskCondition); risk != nil {
		if unused := risk.Reason == v1alpha1.UnusedReason; unused == is(v1alpha1.CompaniesConnectedCondition) {
			fail("AtRisk is %s, and whether companies are connected is %t", risk.Reason, !unused)
		}
	}
	if synced := meta.FindStatusCondition(conditions, v1alpha1.SyncedCondition); synced != nil && is(v1alpha1.ReadyCondition) && synced.Status != metav1.ConditionTrue {
		fail("Ready is True and Synced is %s", synced.Status)
	}
}

// checkKstatus holds our conditions against what kstatus, and with it kubectl,
// Flux and Argo CD, makes of them.
func checkKstatus(o Object, conditions []metav1.Condition, observed int64, fail func(string, ...any)) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		fail("converting: %v", err)
		return
	}
	result, err := status.Compute(&unstructured.Unstructured{Object: content})
	if err != nil {
		fail("kstatus: %v", err)
		return
	}
	want := status.InProgressStatus
	switch {
	case o.GetDeletionTimestamp() != nil:
		want = status.TerminatingStatus
	case observed != o.GetGeneration():
	case meta.IsStatusConditionTrue(conditions, v1alpha1.StalledCondition):
		want = status.FailedStatus
	case meta.IsStatusConditionTrue(conditions, v1alpha1.ReadyCondition):
		want = status.CurrentStatus
	}
	if result.Status != want {
		fail("kstatus reads %s (%s), meant is %s", result.Status, result.Message, want)
	}
}
