package verify

import (
	"crypto/sha256"
	"testing"
	"time"
)

// The cache has a limit, and forgets rather than grows.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	var c cache
	for i := range 3 * maxBelieved {
		k := key(sha256.Sum256([]byte{byte(i)}))
		c.add(k, span{})
		if !c.has(k, time.Time{}) || len(c.held) > maxBelieved {
			t.Fatalf("after %d: remembers %d, this one among them: %t", i+1, len(c.held), c.has(k, time.Time{}))
		}
	}
}
