// Package jitter makes luck visible: it holds back, at random, what a manager and
// the servers that it calls say to each other. What then fails has looked too early,
// or believed a cache that was behind.
//
// Each request is sent late, and each answer is handed over late. A watch is late in
// all that it tells, by a time of its own that changes now and then, so that the caches
// of two kinds are behind each other, and behind what a test reads for itself. Within
// one stream the order stays.
//
// Without JITTER in the environment nothing is delayed: [FromEnvironment] returns nil,
// whose methods change nothing.
//
//	make test PKG=./test/operator JITTER=300ms JITTER_SEED=7
//
// The seed decides the delays, but not which goroutine draws one first. The same seed
// leads to something similar, not to the same.
package jitter

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

const (
	// Variable holds the longest delay, as "300ms". Without it there is none.
	Variable = "JITTER"
	// SeedVariable holds a number that the delays come from. Without it one is picked.
	SeedVariable = "JITTER_SEED"
)

// Jitter draws delays. A nil one delays nothing. Its methods may be called from many goroutines at once.
type Jitter struct {
	longest time.Duration
	seed    uint64

	mu     sync.Mutex
	random *rand.Rand
}

// New returns one whose delays are up to longest, which is more than 0.
func New(longest time.Duration, seed uint64) *Jitter {
	return &Jitter{longest: longest, seed: seed, random: rand.New(rand.NewPCG(seed, 0))}
}

// FromEnvironment returns what the variables ask for; nil when they ask for nothing.
func FromEnvironment() (*Jitter, error) {
	text := os.Getenv(Variable)
	if text == "" {
		return nil, nil //nolint:nilnil // nil delays nothing
	}
	longest, err := time.ParseDuration(text)
	if err != nil || longest <= 0 {
		return nil, fmt.Errorf("reading %s=%q: it must be a time above 0, such as 300ms", Variable, text)
	}
	seed := rand.Uint64N(1 << 32)
	if text := os.Getenv(SeedVariable); text != "" {
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			return nil, fmt.Errorf("reading %s: %w", SeedVariable, err)
		}
	}
	return New(longest, seed), nil
}

// String tells what leads to similar delays again.
func (j *Jitter) String() string {
	if j == nil {
		return "no jitter"
	}
	return fmt.Sprintf("%s=%s %s=%d", Variable, j.longest, SeedVariable, j.seed)
}

// Wrap returns a transport that is next, late. It fits rest.Config.Wrap.
func (j *Jitter) Wrap(next http.RoundTripper) http.RoundTripper {
	if j == nil {
		return next
	}
	return &carrier{jitter: j, next: next}
}

// draw is a delay.
func (j *Jitter) draw() time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	return time.Duration(j.random.Int64N(int64(j.longest) + 1))
}

// pause waits for a delay, or until ctx ends.
func (j *Jitter) pause(ctx context.Context) error {
	timer := time.NewTimer(j.draw())
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// carrier is a transport that is late.
type carrier struct {
	jitter *Jitter
	next   http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (c *carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := c.jitter.pause(r.Context()); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // as a transport must; it was not read
		}
		return nil, err
	}
	answer, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if err := c.jitter.pause(r.Context()); err != nil {
		_ = answer.Body.Close() // nobody wants it any more
		return nil, err
	}
	if watch, _ := strconv.ParseBool(r.URL.Query().Get("watch")); watch {
		answer.Body = c.jitter.stream(r.Context(), answer.Body)
	}
	return answer, nil
}
