package argocd_test

import (
	"testing"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/health"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// healthTests is Argo CD's format of health_test.yaml.
type healthTests struct {
	Tests []healthTest `json:"tests"`
}

type healthTest struct {
	HealthStatus health.HealthStatus `json:"healthStatus"`
	InputPath    string              `json:"inputPath"`
}

func TestHealth(t *testing.T) {
	t.Parallel()
	for kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			if *update {
				updateHealth(t, kind)
			}
			var tests healthTests
			decode(t, read(t, kind, "health_test.yaml"), &tests)
			var covered []string
			for _, tc := range tests.Tests {
				covered = append(covered, tc.InputPath)
				checkHealth(t, kind, tc)
			}
			if diff := cmp.Diff(samples(t, kind), covered); diff != "" {
				t.Errorf("samples without a case (-), and cases out of order (+):\n%s", diff)
			}
		})
	}
}

// checkHealth holds what both machines say of one object against its case, and against the rules.
func checkHealth(t *testing.T, kind string, tc healthTest) {
	object := sample(t, kind, tc.InputPath)
	if want := rules(object); tc.HealthStatus.Status != want {
		t.Errorf("%s: the case wants %s, the rules say %s", tc.InputPath, tc.HealthStatus.Status, want)
	}
	if tc.HealthStatus.Message == "" {
		t.Errorf("%s: there is no message", tc.InputPath)
	}
	for name, vm := range machines(t) {
		script, _, err := vm.GetHealthScript(object)
		if err != nil {
			t.Fatal(err)
		}
		got, err := vm.ExecuteHealthLua(object, script)
		if err != nil {
			t.Errorf("%s, %s: %v", tc.InputPath, name, err)
			continue
		}
		if diff := cmp.Diff(tc.HealthStatus, *got); diff != "" {
			t.Errorf("%s, %s (-want +got):\n%s", tc.InputPath, name, diff)
		}
	}
}

// rules are docs/gitops.md once more, in another language.
func rules(object *unstructured.Unstructured) health.HealthStatusCode {
	ready := reasonOf(object, "Ready")
	observed, _, _ := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
	suspended, _, _ := unstructured.NestedBool(object.Object, "spec", "suspend")
	risk, companies := reasonOf(object, "AtRisk"), reasonOf(object, "CompaniesConnected")
	switch {
	case object.GetDeletionTimestamp() != nil, ready == "", observed != object.GetGeneration():
		return health.HealthStatusProgressing
	case suspended:
		return health.HealthStatusSuspended
	case reasonOf(object, "Stalled") != "":
		return health.HealthStatusDegraded
	case ready != "Connected" && ready != "Subscribed" && ready != "Routed":
		return health.HealthStatusProgressing
	case companies == "Lost", companies == "Expired", risk == "DeliveriesRefused":
		return health.HealthStatusDegraded
	default:
		return health.HealthStatusHealthy
	}
}

// reasonOf returns the reason of a condition, or nothing.
func reasonOf(object *unstructured.Unstructured, conditionType string) string {
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, c := range conditions {
		if c := c.(map[string]any); c["type"] == conditionType {
			return c["reason"].(string)
		}
	}
	return ""
}

// updateHealth writes what the script says now.
func updateHealth(t *testing.T, kind string) {
	t.Helper()
	var tests healthTests
	vm := machines(t)["built-in"]
	for _, path := range samples(t, kind) {
		got, err := vm.ExecuteHealthLua(sample(t, kind, path), read(t, kind, "health.lua"))
		if err != nil {
			t.Fatal(err)
		}
		tests.Tests = append(tests.Tests, healthTest{InputPath: path, HealthStatus: *got})
	}
	write(t, tests, kind, "health_test.yaml")
}
