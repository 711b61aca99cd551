// Package condition writes conditions. It is the one place that stamps the
// observed generation, cuts messages to the length that the API allows, keeps
// the order of conditions, and keeps Reconciling, Stalled, Drifted and AtRisk
// present only while they are True, as kstatus asks for.
package condition

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// MaxMessage is the longest message in bytes. The API allows more; a person reads less.
const MaxMessage = 1024

// order is how conditions are listed.
var order = []string{
	v1alpha1.ReadyCondition,
	v1alpha1.SyncedCondition,
	v1alpha1.CompaniesConnectedCondition,
	v1alpha1.ReconcilingCondition,
	v1alpha1.StalledCondition,
	v1alpha1.DriftedCondition,
	v1alpha1.AtRiskCondition,
}

// onlyTrue are the conditions that are present only while True.
var onlyTrue = []string{
	v1alpha1.ReconcilingCondition,
	v1alpha1.StalledCondition,
	v1alpha1.DriftedCondition,
	v1alpha1.AtRiskCondition,
}

// Set is the conditions of one object while they are being written.
type Set struct {
	list       *[]metav1.Condition
	generation int64
	now        metav1.Time
}

// On starts writing the conditions in list, for an object of this generation.
func On(list *[]metav1.Condition, generation int64, now time.Time) Set {
	return Set{list: list, generation: generation, now: metav1.NewTime(now.Truncate(time.Second))}
}

// True sets a condition to True.
func (s Set) True(conditionType, reason, message string) {
	s.set(conditionType, metav1.ConditionTrue, reason, message)
}

// False sets a condition to False, or removes one that is present only while True.
func (s Set) False(conditionType, reason, message string) {
	if slices.Contains(onlyTrue, conditionType) {
		s.Clear(conditionType)
		return
	}
	s.set(conditionType, metav1.ConditionFalse, reason, message)
}

// Unknown sets a condition to Unknown.
func (s Set) Unknown(conditionType, reason, message string) {
	s.set(conditionType, metav1.ConditionUnknown, reason, message)
}

// Clear removes conditions.
func (s Set) Clear(conditionTypes ...string) {
	for _, t := range conditionTypes {
		meta.RemoveStatusCondition(s.list, t)
	}
}

func (s Set) set(conditionType string, status metav1.ConditionStatus, reason, message string) {
	next := metav1.Condition{
		Type: conditionType, Status: status, ObservedGeneration: s.generation,
		LastTransitionTime: s.now, Reason: reason, Message: Cut(message),
	}
	if old := meta.FindStatusCondition(*s.list, conditionType); old != nil && old.Status == status {
		next.LastTransitionTime = old.LastTransitionTime
	}
	s.Clear(conditionType)
	*s.list = append(*s.list, next)
	slices.SortStableFunc(*s.list, func(a, b metav1.Condition) int {
		return slices.Index(order, a.Type) - slices.Index(order, b.Type)
	})
}

// KeepTail returns message with tail behind it, unless the condition already
// says message with another tail: then what it says stays. It keeps a text
// that differs only in a correlation id from being written again and again.
func KeepTail(list []metav1.Condition, conditionType, message, tail string) string {
	room := MaxMessage - len(tail)
	if len(message) > room {
		message = cut(message, room)
	}
	old := meta.FindStatusCondition(list, conditionType)
	label := tail[:strings.LastIndex(tail, " ")+1] // all of it but the id
	if label != "" && old != nil && strings.HasPrefix(old.Message, message+label) {
		return old.Message
	}
	return message + tail
}

// Cut shortens a message to MaxMessage bytes, at a character.
func Cut(message string) string { return cut(message, MaxMessage) }

func cut(message string, limit int) string {
	message = strings.ToValidUTF8(message, "?")
	if len(message) <= limit {
		return message
	}
	const ellipsis = "…"
	return strings.ToValidUTF8(message[:limit-len(ellipsis)], "") + ellipsis
}
