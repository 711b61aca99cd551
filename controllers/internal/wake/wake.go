// Package wake lets one controller tell another, inside the process, to look
// at objects again. A steady state must not write to the API server, so status
// changes cannot carry the message.
package wake

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// Priorities of what waits in a queue. A user's change has the default, 0.
const (
	// Promptly is for what a person is likely to wait for.
	Promptly = 0
	// Resync is for looking again at what has probably not changed.
	Resync = handler.LowPriority
)

// call is one request to look again at what an object is about.
type call struct {
	object   types.NamespacedName
	priority int
}

// Bell carries calls from one controller to another.
type Bell struct {
	calls chan event.TypedGenericEvent[call]
}

// NewBell returns a bell that nobody listens to yet.
func NewBell() *Bell {
	return &Bell{calls: make(chan event.TypedGenericEvent[call], 4096)}
}

// Ring asks to look again at object, or at what belongs to it, as the listener
// resolves it. It returns when the call is taken over, or when ctx ends.
func (b *Bell) Ring(ctx context.Context, object types.NamespacedName, priority int) {
	select {
	case b.calls <- event.TypedGenericEvent[call]{Object: call{object: object, priority: priority}}:
	case <-ctx.Done():
	}
}

// Resolve names the objects of the listener that a call about object is for.
type Resolve func(ctx context.Context, object types.NamespacedName) []types.NamespacedName

// Source feeds the calls into a controller's queue.
func (b *Bell) Source(resolve Resolve) source.Source {
	return source.TypedChannel(b.calls, handler.TypedFuncs[call, reconcile.Request]{
		GenericFunc: func(ctx context.Context, e event.TypedGenericEvent[call], q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			for _, name := range resolve(ctx, e.Object.object) {
				enqueue(q, reconcile.Request{NamespacedName: name}, e.Object.priority)
			}
		},
	})
}

func enqueue(q workqueue.TypedRateLimitingInterface[reconcile.Request], request reconcile.Request, priority int) {
	if pq, ok := q.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
		pq.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, request)
		return
	}
	q.Add(request)
}
