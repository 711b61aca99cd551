package condition_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/condition"
)

var (
	earlier = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	later   = earlier.Add(time.Hour + 300*time.Millisecond)
)

// told is a condition in one line.
func told(list []metav1.Condition) []string {
	lines := []string{}
	for _, c := range list {
		lines = append(lines, c.Type+"="+string(c.Status)+" "+c.Reason+": "+c.Message)
	}
	return lines
}

func TestOrder(t *testing.T) {
	t.Parallel()
	var list []metav1.Condition
	set := condition.On(&list, 1, earlier)
	for _, conditionType := range []string{
		v1alpha1.AtRiskCondition, v1alpha1.StalledCondition, v1alpha1.CompaniesConnectedCondition, v1alpha1.DriftedCondition,
		v1alpha1.SyncedCondition, v1alpha1.ReconcilingCondition, v1alpha1.ReadyCondition,
	} {
		set.True(conditionType, "R", "m")
	}
	set.False(v1alpha1.SyncedCondition, "S", "again") // a change keeps its place
	want := []string{
		"Ready=True R: m", "Synced=False S: again", "CompaniesConnected=True R: m", "Reconciling=True R: m",
		"Stalled=True R: m", "Drifted=True R: m", "AtRisk=True R: m",
	}
	if diff := cmp.Diff(want, told(list)); diff != "" {
		t.Errorf("a list in an order of its own would be written anew each time (-want +got):\n%s", diff)
	}
}

func TestPresence(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		do     func(condition.Set)
		want   []string
	}{
		"FalseStays": {"Ready is always present",
			func(s condition.Set) { s.False(v1alpha1.ReadyCondition, "R", "m") }, []string{"Ready=False R: m"}},
		"UnknownStays": {"not known is an answer",
			func(s condition.Set) { s.Unknown(v1alpha1.SyncedCondition, "R", "m") }, []string{"Synced=Unknown R: m"}},
		"FalseGoes": {"kstatus reads Stalled=False as a matter of its own",
			func(s condition.Set) {
				s.True(v1alpha1.StalledCondition, "R", "m")
				s.False(v1alpha1.StalledCondition, "R", "m")
			}, []string{}},
		"FalseNeverComes": {"what was not there does not appear as False",
			func(s condition.Set) { s.False(v1alpha1.AtRiskCondition, "R", "m") }, []string{}},
		"Cleared": {"several at once, absent ones too",
			func(s condition.Set) {
				s.True(v1alpha1.ReadyCondition, "R", "m")
				s.True(v1alpha1.DriftedCondition, "R", "m")
				s.Clear(v1alpha1.DriftedCondition, v1alpha1.StalledCondition)
			}, []string{"Ready=True R: m"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var list []metav1.Condition
			tc.do(condition.On(&list, 1, earlier))
			if diff := cmp.Diff(tc.want, told(list)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestStamps(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		next   func(condition.Set)
		want   metav1.Condition
	}{
		"SameStatus": {"the transition is that of the status, not of its reason; the generation is that of the spec seen",
			func(s condition.Set) { s.False(v1alpha1.ReadyCondition, "Other", "other") },
			metav1.Condition{Status: metav1.ConditionFalse, ObservedGeneration: 2, LastTransitionTime: metav1.NewTime(earlier), Reason: "Other", Message: "other"}},
		"OtherStatus": {"a new status is a transition, in whole seconds as the API stores them",
			func(s condition.Set) { s.True(v1alpha1.ReadyCondition, "R", "m") },
			metav1.Condition{Status: metav1.ConditionTrue, ObservedGeneration: 2, LastTransitionTime: metav1.NewTime(later.Truncate(time.Second)), Reason: "R", Message: "m"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var list []metav1.Condition
			condition.On(&list, 1, earlier).False(v1alpha1.ReadyCondition, "R", "m")
			tc.next(condition.On(&list, 2, later))
			tc.want.Type = v1alpha1.ReadyCondition
			if diff := cmp.Diff([]metav1.Condition{tc.want}, list); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
