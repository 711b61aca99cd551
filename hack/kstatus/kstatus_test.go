package kstatus

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	flux "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	sigs "sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/yaml"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

const (
	// samples are objects as a real operator left them, which the health checks for Argo CD are tested with, too.
	samples = "../../argocd/resource_customizations/concur.ess-operator.io/*/testdata/*.yaml"
	page    = "../../docs/reference/conditions.md"
)

// elsewhere are the reasons that Ready never has: they are about the companies, or about a risk.
var elsewhere = []string{
	v1alpha1.CompaniesConnectedReason, v1alpha1.NoCompaniesReason, v1alpha1.UnusedReason, v1alpha1.DeliveriesRefusedReason,
	v1alpha1.DriftedReason, v1alpha1.ExpiredReason, v1alpha1.LostReason,
}

// unrecorded is the reason for what nobody foresaw, which no recorded object has.
const unrecorded = v1alpha1.UnknownReason

// load reads all samples, by their paths.
func load(t *testing.T) map[string]*unstructured.Unstructured {
	t.Helper()
	paths, err := filepath.Glob(samples)
	if err != nil || len(paths) < 50 {
		t.Fatalf("there are %d recorded objects (%v), want one of each kind with each reason", len(paths), err)
	}
	all := map[string]*unstructured.Unstructured{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		encoded, err := yaml.YAMLToJSON(text)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		o := &unstructured.Unstructured{}
		if err := o.UnmarshalJSON(encoded); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		kind := filepath.Base(filepath.Dir(filepath.Dir(path)))
		if o.GetKind() != kind {
			t.Fatalf("%s is no %s", path, kind)
		}
		all[kind+"/"+filepath.Base(path)] = o
	}
	return all
}

// documented is what the page says that kstatus makes of each reason of Ready.
func documented(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(text), "\n## What tools make of it\n")
	part, _, _ = strings.Cut(part, "\n## ")
	of := map[string]string{}
	for _, row := range regexp.MustCompile(`(?m)^\| (Current|InProgress|Failed|Terminating) \| .*? \| (.*) \|$`).FindAllStringSubmatch(part, -1) {
		for _, name := range regexp.MustCompile("`([A-Za-z]+)`").FindAllStringSubmatch(row[2], -1) {
			if of[name[1]] != "" {
				t.Errorf("%s lists %s twice", page, name[1])
			}
			of[name[1]] = row[1]
		}
	}
	return of
}

// reasonOf is the reason of Ready; empty where there is none.
func reasonOf(o *unstructured.Unstructured) string {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range conditions {
		if c := c.(map[string]any); c["type"] == v1alpha1.ReadyCondition {
			return c["reason"].(string)
		}
	}
	return ""
}

// stale reports whether the status is about an earlier generation, or about none.
func stale(o *unstructured.Unstructured) bool {
	observed, _, _ := unstructured.NestedInt64(o.Object, "status", "observedGeneration")
	return observed != o.GetGeneration()
}

// compute asks both libraries.
func compute(t *testing.T, o *unstructured.Unstructured) (byFlux, bySigs string) {
	t.Helper()
	f, err := flux.Compute(o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sigs.Compute(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(f.Status), string(s.Status)
}

func TestEveryObjectIsReadAsThePageSays(t *testing.T) {
	t.Parallel()
	says := documented(t)
	for name, o := range load(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reason := reasonOf(o)
			want := says[reason]
			switch {
			case o.GetDeletionTimestamp() != nil:
				want = "Terminating"
			case stale(o):
				want = "InProgress"
			}
			if f, s := compute(t, o); f != want || s != want {
				t.Errorf("Ready says %q; Flux reads %s, cli-utils %s, the page says %s", reason, f, s, want)
			}
		})
	}
}

// TestEveryReasonIsOnThePageAndRecorded fails for a new reason until there is an object that has it, and
// users are told what their tools make of it.
func TestEveryReasonIsOnThePageAndRecorded(t *testing.T) {
	t.Parallel()
	want := slices.DeleteFunc(v1alpha1.Reasons(), func(reason string) bool { return slices.Contains(elsewhere, reason) })
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(documented(t)))); diff != "" {
		t.Errorf("reasons of Ready, and those in the table of %s (-code +page):\n%s", page, diff)
	}
	recorded := map[string]bool{unrecorded: true}
	for _, o := range load(t) {
		reason := reasonOf(o)
		if slices.Contains(elsewhere, reason) {
			t.Errorf("Ready has the reason %s, which this test takes for one that it never has", reason)
		}
		if !stale(o) {
			recorded[reason] = true
		}
	}
	for _, reason := range want {
		if !recorded[reason] {
			t.Errorf("no recorded object has the reason %s at its present generation", reason)
		}
	}
}

// TestEveryObjectIsStaleAfterAnEdit: a change of the spec must not be taken for done, or failed, because of what was before.
func TestEveryObjectIsStaleAfterAnEdit(t *testing.T) {
	t.Parallel()
	for name, o := range load(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			edited := o.DeepCopy()
			edited.SetGeneration(o.GetGeneration() + 1)
			want := "InProgress"
			if o.GetDeletionTimestamp() != nil {
				want = "Terminating"
			}
			if f, s := compute(t, edited); f != want || s != want {
				t.Errorf("after an edit Flux reads %s and cli-utils %s, want %s", f, s, want)
			}
		})
	}
}

// TestUnknownIsInProgress: the one reason that no object was recorded with is tried again as others are.
func TestUnknownIsInProgress(t *testing.T) {
	t.Parallel()
	o := load(t)["EventSubscription/unavailable.yaml"].DeepCopy()
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	changed := 0
	for _, c := range conditions {
		if c := c.(map[string]any); c["reason"] == v1alpha1.UnavailableReason {
			c["reason"], changed = unrecorded, changed+1
		}
	}
	if err := unstructured.SetNestedSlice(o.Object, conditions, "status", "conditions"); err != nil || changed == 0 {
		t.Fatalf("changed %d conditions: %v", changed, err)
	}
	want := documented(t)[unrecorded]
	if f, s := compute(t, o); f != want || s != want {
		t.Errorf("Flux reads %s and cli-utils %s, want %s", f, s, want)
	}
}
