package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// sight is when an object was first seen Ready at a generation.
type sight struct {
	generation int64
	at         time.Time
}

// watcher sees EventSubscriptions become Ready, as a user with kubectl get --watch does.
type watcher struct {
	mu      sync.Mutex
	ready   map[types.NamespacedName]sight
	changed chan struct{} // closed and replaced at every sight
}

// watch starts to watch, until ctx ends.
func watch(ctx context.Context, config *rest.Config, scheme *runtime.Scheme) (*watcher, error) {
	w := &watcher{ready: map[types.NamespacedName]sight{}, changed: make(chan struct{})}
	objects, err := cache.New(config, cache.Options{Scheme: scheme, DefaultTransform: cache.TransformStripManagedFields()})
	if err != nil {
		return nil, err
	}
	informer, err := objects.GetInformer(ctx, &v1alpha1.EventSubscription{}, cache.BlockUntilSynced(false))
	if err != nil {
		return nil, err
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    w.see,
		UpdateFunc: func(_, after any) { w.see(after) },
	})
	if err != nil {
		return nil, err
	}
	go func() { _ = objects.Start(ctx) }() // it fails only by being started twice
	if !objects.WaitForCacheSync(ctx) {
		return nil, errors.New("watching EventSubscriptions: the first list did not come")
	}
	return w, nil
}

func (w *watcher) see(o any) {
	sub := o.(*v1alpha1.EventSubscription)
	ready := meta.FindStatusCondition(sub.Status.Conditions, v1alpha1.ReadyCondition)
	if ready == nil || ready.Status != metav1.ConditionTrue || ready.ObservedGeneration != sub.Generation {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	name := client.ObjectKeyFromObject(sub)
	if seen, ok := w.ready[name]; !ok || seen.generation < sub.Generation {
		w.ready[name] = sight{generation: sub.Generation, at: time.Now()}
		close(w.changed)
		w.changed = make(chan struct{})
	}
}

// until waits until sub is Ready at its generation, and returns since when it was seen to be.
func (w *watcher) until(ctx context.Context, sub *v1alpha1.EventSubscription) (time.Time, error) {
	name := client.ObjectKeyFromObject(sub)
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("waiting for %s to be Ready: not within %s", name, patience))
	defer cancel()
	for {
		w.mu.Lock()
		seen, changed := w.ready[name], w.changed
		w.mu.Unlock()
		if seen.generation >= sub.Generation {
			return seen.at, nil
		}
		select {
		case <-ctx.Done():
			return time.Time{}, context.Cause(ctx)
		case <-changed:
		}
	}
}

// count is how many objects were ever Ready.
func (w *watcher) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.ready)
}
