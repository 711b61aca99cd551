package verify

import (
	"crypto/sha256"
	"crypto/x509"
	"sync"
	"time"
)

// maxBelieved is how many certificates are remembered. ESS has shown one or two at a time.
const maxBelieved = 64

// cache remembers what was believed, and for how long: the same few certificates come with every request. It holds
// only what was proved, so a stranger cannot fill it. Its zero value is empty.
type cache struct {
	mu   sync.RWMutex
	held map[key]span
}

type key [sha256.Size]byte

// span is a span of time, both ends included; its zero value is always.
type span struct{ from, to time.Time }

func (c *cache) has(k key, now time.Time) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	s, ok := c.held[k]
	return ok && (s == span{} || !now.Before(s.from) && !now.After(s.to))
}

func (c *cache) add(k key, s span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil || len(c.held) >= maxBelieved {
		c.held = make(map[key]span)
	}
	c.held[k] = s
}

// keyOf tells chains apart.
func keyOf(chain []*x509.Certificate) (k key) {
	h := sha256.New()
	for _, c := range chain {
		h.Write(c.Raw)
	}
	h.Sum(k[:0])
	return k
}
