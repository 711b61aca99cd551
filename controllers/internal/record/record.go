// Package record records Kubernetes events, for people. An event says that
// something changed; what is the case stands in conditions.
package record

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/controllers/internal/condition"
)

// Recorder records events about our objects.
type Recorder struct {
	events     events.EventRecorder
	namespaces client.Reader
}

// New returns a Recorder. It looks namespaces up in namespaces, the cache, to
// leave out events that the API server would refuse because the namespace is
// going away; nil when namespaces may not be read.
func New(recorder events.EventRecorder, namespaces client.Reader) *Recorder {
	return &Recorder{events: recorder, namespaces: namespaces}
}

// Event is one event without its object.
type Event struct {
	// Type is corev1.EventTypeNormal or corev1.EventTypeWarning.
	Type string
	// Reason says why, in one word; Action what the operator was doing.
	Reason, Action string
	// Note tells a person.
	Note string
}

// Record records one event about an object.
func (r *Recorder) Record(ctx context.Context, about client.Object, e Event) {
	if r.terminating(ctx, about.GetNamespace()) {
		return
	}
	// The API server refuses events with longer notes than what Cut leaves.
	r.events.Eventf(about, nil, e.Type, e.Reason, e.Action, "%s", condition.Cut(e.Note))
}

// terminating reports whether a namespace is being deleted.
func (r *Recorder) terminating(ctx context.Context, name string) bool {
	if r.namespaces == nil {
		return false
	}
	namespace := &metav1.PartialObjectMetadata{}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	if err := r.namespaces.Get(ctx, client.ObjectKey{Name: name}, namespace); err != nil {
		return false // let the API server decide
	}
	return !namespace.DeletionTimestamp.IsZero()
}
