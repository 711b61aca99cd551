package eventsubscription

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// departed remembers objects whose finalizer was taken off. The cache may show
// such an object a moment longer, and nothing must be done for it then.
type departed struct {
	mu sync.Mutex
	at map[types.UID]time.Time
}

// memory is how long an object is remembered; far longer than any cache lags.
const memory = 10 * time.Minute

// add remembers an object, and drops those that are long gone.
func (d *departed) add(object types.UID, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.at == nil {
		d.at = map[types.UID]time.Time{}
	}
	for other, at := range d.at {
		if now.Sub(at) > memory {
			delete(d.at, other)
		}
	}
	d.at[object] = now
}

// has reports whether an object has gone.
func (d *departed) has(object types.UID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, gone := d.at[object]
	return gone
}
