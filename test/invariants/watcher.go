package invariants

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// Watcher checks every version of every object of our kinds in a cluster.
type Watcher struct {
	observers []func(Object)

	mu       sync.Mutex
	versions int
	broken   map[string]struct{}
	done     sync.WaitGroup
}

// Watch starts watching until ctx ends. Observers are shown each version, too, from
// several goroutines at once.
func Watch(ctx context.Context, c client.WithWatch, observers ...func(Object)) (*Watcher, error) {
	w := &Watcher{observers: observers, broken: map[string]struct{}{}}
	for _, list := range []client.ObjectList{&v1alpha1.ConcurConnectionList{}, &v1alpha1.EventSubscriptionList{}, &v1alpha1.ApplicationConnectorList{}} {
		events, err := c.Watch(ctx, list)
		if err != nil {
			return nil, fmt.Errorf("watching %T: %w", list, err)
		}
		w.done.Go(func() {
			for {
				select {
				case <-ctx.Done():
					events.Stop()
					return
				case e, open := <-events.ResultChan():
					if !open {
						w.note("a watch ended early: what came after it was not checked")
						return
					}
					if o, ok := e.Object.(Object); ok {
						w.check(o)
					}
				}
			}
		})
	}
	return w, nil
}

func (w *Watcher) check(o Object) {
	w.mu.Lock()
	w.versions++
	w.mu.Unlock()
	for _, observe := range w.observers {
		observe(o)
	}
	for _, sentence := range Check(o) {
		w.note(fmt.Sprintf("%T %s/%s: %s", o, o.GetNamespace(), o.GetName(), sentence))
	}
}

func (w *Watcher) note(sentence string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken[sentence] = struct{}{}
}

// Report returns how many versions were checked, and the rules that were
// broken. Call it when the context of Watch has ended.
func (w *Watcher) Report() (versions int, broken []string) {
	w.done.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.versions, slices.Sorted(maps.Keys(w.broken))
}
