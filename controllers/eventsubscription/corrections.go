package eventsubscription

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const (
	// maxCorrections of one field within correctionWindow are made; then
	// somebody else evidently wants it otherwise.
	maxCorrections   = 3
	correctionWindow = time.Hour
)

// corrections remembers when fields at ESS were corrected. It is memory of this
// process only: a condition that says Contested outlives a restart, and an
// unfinished count need not.
type corrections struct {
	mu   sync.Mutex
	made map[types.UID]map[string][]time.Time
}

// contested returns the fields that were corrected too often within the hour before now.
func (c *corrections) contested(object types.UID, fields []string, now time.Time) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var often []string
	for _, f := range fields {
		times := slices.DeleteFunc(c.made[object][f], func(t time.Time) bool { return now.Sub(t) >= correctionWindow })
		if len(times) >= maxCorrections {
			often = append(often, f)
		}
	}
	return often
}

// note remembers a correction of fields.
func (c *corrections) note(object types.UID, fields []string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made == nil {
		c.made = map[types.UID]map[string][]time.Time{}
	}
	if c.made[object] == nil {
		c.made[object] = map[string][]time.Time{}
	}
	for _, f := range fields {
		times := append(c.made[object][f], now)
		c.made[object][f] = times[max(0, len(times)-maxCorrections):]
	}
}

// forget drops what is known of an object, because a person decided anew.
func (c *corrections) forget(object types.UID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.made, object)
}
