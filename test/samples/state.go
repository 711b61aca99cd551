package samples

import (
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/test/invariants"
)

// view is what the state of an object depends on.
type view struct {
	conditions []metav1.Condition
	observed   int64
	suspended  bool
}

// describe returns the kind of an object and the name of its state; not ok for
// objects that are not ours.
func describe(o invariants.Object) (kind, state string, ok bool) {
	var v view
	switch o := o.(type) {
	case *v1alpha1.ConcurConnection:
		kind, v = "ConcurConnection", view{o.Status.Conditions, o.Status.ObservedGeneration, o.Spec.Suspend}
	case *v1alpha1.EventSubscription:
		kind, v = "EventSubscription", view{o.Status.Conditions, o.Status.ObservedGeneration, o.Spec.Suspend}
	case *v1alpha1.ApplicationConnector:
		kind, v = "ApplicationConnector", view{o.Status.Conditions, o.Status.ObservedGeneration, false}
	default:
		return "", "", false
	}
	return kind, v.state(o), true
}

// state names how the object is doing, in the order in which it matters to people.
func (v view) state(o invariants.Object) string {
	ready := meta.FindStatusCondition(v.conditions, v1alpha1.ReadyCondition)
	var words []string
	add := func(word string, when bool) {
		if when {
			words = append(words, word)
		}
	}
	add("deleting", o.GetDeletionTimestamp() != nil)
	add("stale", ready != nil && v.observed != o.GetGeneration())
	add("suspended", v.suspended)
	if ready == nil {
		return strings.Join(append(words, "new"), "-")
	}
	words = append(words, kebab(ready.Reason))
	if c := meta.FindStatusCondition(v.conditions, v1alpha1.CompaniesConnectedCondition); ready.Status == metav1.ConditionTrue && c != nil {
		words = append(words, kebab(c.Reason))
	}
	if c := meta.FindStatusCondition(v.conditions, v1alpha1.AtRiskCondition); c != nil && ready.Status == metav1.ConditionTrue {
		words = append(words, kebab(c.Reason))
	}
	return strings.Join(words, "-")
}

// What differs from run to run, and what takes its place.
var (
	timestamp = regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
	date      = regexp.MustCompile(`20\d\d-\d\d-\d\d\b`)
	loopback  = regexp.MustCompile(`127\.0\.0\.1:\d+`)
	namespace = regexp.MustCompile(`\bt-[a-z0-9]{5}\b`)
)

// longest is how much of one text a sample needs: a bundle of certificates is none of it.
const longest = 1200

// neutral is the object as anybody's cluster would have it, without what only this
// run had: its addresses, names of namespaces, and times.
func neutral(content map[string]any, kind string) map[string]any {
	content["apiVersion"], content["kind"] = v1alpha1.GroupVersion.String(), kind
	metadata := content["metadata"].(map[string]any)
	for _, key := range []string{"managedFields", "resourceVersion", "uid", "generateName"} {
		delete(metadata, key)
	}
	return neutralValue(content).(map[string]any)
}

func neutralValue(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			if text, ok := inner.(string); ok && len(text) > longest {
				delete(value, key)
				continue
			}
			value[key] = neutralValue(inner)
		}
	case []any:
		for i := range value {
			value[i] = neutralValue(value[i])
		}
	case string:
		value = timestamp.ReplaceAllString(value, "2026-11-22T03:04:05Z")
		value = date.ReplaceAllStringFunc(value, func(found string) string {
			if found == "2026-11-22" {
				return found
			}
			return "2026-12-22"
		})
		value = loopback.ReplaceAllString(value, "us2.api.concursolutions.com")
		return namespace.ReplaceAllString(value, "finance")
	}
	return value
}
