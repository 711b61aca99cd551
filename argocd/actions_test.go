package argocd_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const requestedAt = group + "/reconcile-requested-at"

// actionTests is Argo CD's format of action_test.yaml.
type actionTests struct {
	DiscoveryTests []discoveryTest `json:"discoveryTests"`
	ActionTests    []actionTest    `json:"actionTests"`
}

type discoveryTest struct {
	InputPath string                    `json:"inputPath"`
	Result    []v1alpha1.ResourceAction `json:"result"`
}

type actionTest struct {
	Action             string `json:"action"`
	InputPath          string `json:"inputPath"`
	ExpectedOutputPath string `json:"expectedOutputPath"`
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	for kind, offered := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var tests actionTests
			decode(t, read(t, kind, "actions", "action_test.yaml"), &tests)
			if len(tests.DiscoveryTests) < 2 {
				t.Errorf("%d cases", len(tests.DiscoveryTests))
			}
			for _, tc := range tests.DiscoveryTests {
				for name, vm := range machines(t) {
					got := discover(t, vm, sample(t, kind, "actions/"+tc.InputPath))
					if diff := cmp.Diff(tc.Result, got); diff != "" {
						t.Errorf("%s, %s (-want +got):\n%s", tc.InputPath, name, diff)
					}
				}
			}
			for _, path := range samples(t, kind) {
				object := sample(t, kind, path)
				var names []string
				for _, action := range discover(t, machines(t)["argocd-cm"], object) {
					names = append(names, action.Name)
					if want := sensible(object, action.Name); action.Disabled == want {
						t.Errorf("%s: %s is disabled: %t, makes sense: %t", path, action.Name, action.Disabled, want)
					}
				}
				if !slices.Equal(names, offered) {
					t.Errorf("%s: offered are %q, want %q", path, names, offered)
				}
			}
		})
	}
}

// sensible are the rules of the actions once more, in another language.
func sensible(object *unstructured.Unstructured, action string) bool {
	suspended, _, _ := unstructured.NestedBool(object.Object, "spec", "suspend")
	deleting := object.GetDeletionTimestamp() != nil
	switch {
	case action == "suspend":
		return !suspended && !deleting
	case action == "resume":
		return suspended && !deleting
	case object.GetKind() == "EventSubscription":
		return true
	default:
		return !suspended && !deleting
	}
}

// discover returns the actions that are offered for an object, by name.
func discover(t *testing.T, vm lua.VM, object *unstructured.Unstructured) []v1alpha1.ResourceAction {
	t.Helper()
	scripts, err := vm.GetResourceActionDiscovery(object)
	if err != nil {
		t.Fatal(err)
	}
	actions, err := vm.ExecuteResourceActionDiscovery(object, scripts)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(actions, func(a, b v1alpha1.ResourceAction) int { return strings.Compare(a.Name, b.Name) })
	return actions
}

func TestActions(t *testing.T) {
	t.Parallel()
	for kind, offered := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var tests actionTests
			decode(t, read(t, kind, "actions", "action_test.yaml"), &tests)
			var tested []string
			for _, tc := range tests.ActionTests {
				tested = append(tested, tc.Action)
				for name, vm := range machines(t) {
					want := sample(t, kind, "actions/"+tc.ExpectedOutputPath)
					got := act(t, vm, sample(t, kind, "actions/"+tc.InputPath), tc.Action)
					if diff := cmp.Diff(plain(t, want), plain(t, got)); diff != "" {
						t.Errorf("%s of %s, %s (-want +got):\n%s", tc.Action, tc.InputPath, name, diff)
					}
				}
			}
			slices.Sort(tested)
			if !slices.Equal(slices.Compact(tested), offered) {
				t.Errorf("tested are %q, offered %q", tested, offered)
			}
		})
	}
}

// TestEachRequestIsNew asks again and again within a second: a value that the operator
// has handled is no request.
func TestEachRequestIsNew(t *testing.T) {
	t.Parallel()
	for kind := range kinds {
		object := sample(t, kind, "testdata/new.yaml")
		for name, vm := range machines(t) {
			for range 5 {
				before := object.GetAnnotations()[requestedAt]
				object = act(t, vm, object, "reconcile")
				after := object.GetAnnotations()[requestedAt]
				if _, err := time.Parse(time.RFC3339, after); err != nil || after == before {
					t.Errorf("%s, %s: the request after %q is %q", kind, name, before, after)
				}
			}
		}
	}
}

// act runs an action, which must patch the object and nothing else.
func act(t *testing.T, vm lua.VM, object *unstructured.Unstructured, action string) *unstructured.Unstructured {
	t.Helper()
	definition, err := vm.GetResourceAction(object, action)
	if err != nil {
		t.Fatal(err)
	}
	done, err := vm.ExecuteResourceAction(object, definition.ActionLua, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(done) != 1 || done[0].K8SOperation != lua.PatchOperation {
		t.Fatalf("%s does %+v", action, done)
	}
	return done[0].UnstructuredObj
}

// plain is the object as JSON would carry it, with the time of a request that was made just now replaced.
func plain(t *testing.T, object *unstructured.Unstructured) map[string]any {
	t.Helper()
	annotations := object.GetAnnotations()
	if at, err := time.Parse(time.RFC3339, annotations[requestedAt]); err == nil && time.Since(at).Abs() < time.Minute {
		annotations[requestedAt] = "0001-01-01T00:00:00Z"
		object.SetAnnotations(annotations)
	}
	text, err := object.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var content map[string]any
	decode(t, string(text), &content)
	return content
}
