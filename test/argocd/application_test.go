package argocd_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

var applicationKind = schema.GroupVersionKind{Group: "argoproj.io", Version: "v1alpha1", Kind: "Application"}

// applications remembers what every Application was, in order.
type applications struct {
	mu      sync.Mutex
	history map[string][]string
	gone    []string // in the order in which they went
}

// watchApplications watches until the test ends.
func watchApplications(t *testing.T) *applications {
	t.Helper()
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(applicationKind)
	events, err := suite.client.Watch(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	a := &applications{history: map[string][]string{}}
	var done sync.WaitGroup
	done.Go(func() {
		for e := range events.ResultChan() {
			if o, ok := e.Object.(*unstructured.Unstructured); ok {
				a.note(e.Type, o)
			}
		}
	})
	t.Cleanup(func() {
		events.Stop()
		done.Wait()
	})
	return a
}

func (a *applications) note(event watch.EventType, o *unstructured.Unstructured) {
	a.mu.Lock()
	defer a.mu.Unlock()
	name, now := o.GetName(), state(o)
	if event == watch.Deleted {
		a.gone = append(a.gone, name)
		return
	}
	if past := a.history[name]; now != "" && (len(past) == 0 || past[len(past)-1] != now) {
		a.history[name] = append(past, now)
	}
}

// went are the Applications that are gone.
func (a *applications) went() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.gone)
}

// of is the history of one Application from the beginning, such as "OutOfSync Missing", "Synced Progressing".
func (a *applications) of(name string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.history[name])
}

// state is sync status and health; empty before the first comparison.
func state(o *unstructured.Unstructured) string {
	sync, _, _ := unstructured.NestedString(o.Object, "status", "sync", "status")
	health, _, _ := unstructured.NestedString(o.Object, "status", "health", "status")
	return strings.TrimSpace(sync + " " + health)
}

// application reads an Application.
func (s *stage) application(name string) *unstructured.Unstructured {
	s.t.Helper()
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(applicationKind)
	if err := suite.client.Get(s.t.Context(), key(name), o); err != nil {
		return o // not there yet, or no more
	}
	return o
}

// eventually waits until an Application has a state at a revision.
func (s *stage) eventually(name, want, revision string) {
	s.t.Helper()
	s.Eventually(func() string {
		o := s.application(name)
		if at, _, _ := unstructured.NestedString(o.Object, "status", "sync", "revision"); revision != "" && at != revision {
			return "at " + at
		}
		return state(o)
	}).Should(gomega.Equal(want), func() string { return s.explain(name) })
}

// hasty asks Argo CD to look now what git has for finance.
func (s *stage) hasty() {
	s.t.Helper()
	_, err := suite.plane.Kubectl(s.t.Context(), "annotate", "application", "-n", argoNamespace, "finance", "--overwrite", "argocd.argoproj.io/refresh=normal")
	s.Expect(err).NotTo(gomega.HaveOccurred())
}

// quietly plays something during which no Application may become OutOfSync.
func (s *stage) quietly(name string, play func()) {
	s.t.Helper()
	before := len(s.apps.of(name))
	play()
	for _, state := range s.apps.of(name)[before:] {
		if strings.HasPrefix(state, "OutOfSync") {
			s.t.Errorf("%s became %q, because of what the operator or an action did:\n%s", name, state, s.explain(name))
		}
	}
}

// conditions are the messages of an Application itself, as "ComparisonError: …".
func (s *stage) conditions(name string) string {
	var all []string
	list, _, _ := unstructured.NestedSlice(s.application(name).Object, "status", "conditions")
	for _, c := range list {
		c := c.(map[string]any)
		all = append(all, c["type"].(string)+": "+c["message"].(string))
	}
	return strings.Join(all, "\n")
}

// explain tells all there is to know of an Application, for failures.
func (s *stage) explain(name string) string {
	out, err := suite.argo.cli(s.t.Context(), "app", "get", name, "--show-operation")
	if err != nil {
		out = err.Error()
	}
	return out + "\nhistory: " + strings.Join(s.apps.of(name), ", ")
}
