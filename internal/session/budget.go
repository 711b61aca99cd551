package session

import (
	"slices"
	"time"

	"golang.org/x/time/rate"
)

// answerTime is what a call needs at least once it has its turn. Whoever would
// get its turn with less time left is told at once that it comes too late.
const answerTime = time.Second

// waiter is a call that waits for its turn.
type waiter struct {
	due      time.Time // arrival and grace: whoever is due first goes first
	deadline time.Time // zero: none
	turn     chan error
}

// newWaiter is a call that arrives now. A zero deadline is none.
func newWaiter(now, deadline time.Time, u Urgency) *waiter {
	return &waiter{due: now.Add(u.grace()), deadline: deadline, turn: make(chan error, 1)}
}

// late reports whether a turn after wait is of no use.
func (w *waiter) late(now time.Time, wait time.Duration) bool {
	return wait > 0 && !w.deadline.IsZero() && w.deadline.Before(now.Add(wait+answerTime))
}

// budget is a token bucket and those who wait before it, in their order.
// It is not safe for use by many goroutines at once.
type budget struct {
	bucket *rate.Limiter
	queue  []*waiter
}

// set changes the limit; what was saved up stays, as far as the new burst allows.
func (b *budget) set(now time.Time, limit Limit) {
	b.bucket.SetLimitAt(now, rate.Limit(limit.PerSecond))
	b.bucket.SetBurstAt(now, limit.Burst)
}

// enter puts w into the queue, behind those who are due at the same time.
func (b *budget) enter(w *waiter) {
	behind := func(other, w *waiter) int {
		if other.due.After(w.due) {
			return 1
		}
		return -1
	}
	i, _ := slices.BinarySearchFunc(b.queue, w, behind)
	b.queue = slices.Insert(b.queue, i, w)
}

// leave takes w out of the queue, if it is still there.
func (b *budget) leave(w *waiter) {
	if i := slices.Index(b.queue, w); i >= 0 {
		b.queue = slices.Delete(b.queue, i, i+1)
	}
}

// serve gives a turn to as many as there are tokens for, and turns away those
// who would come too late. It returns when the next token is there; zero when
// nobody waits for one.
func (b *budget) serve(now time.Time) time.Duration {
	b.shed(now)
	for len(b.queue) > 0 {
		if !b.bucket.AllowN(now, 1) {
			return max(b.wait(now, 0), time.Millisecond) // rounding must not make a busy loop
		}
		b.queue[0].turn <- nil
		b.queue = slices.Delete(b.queue, 0, 1)
	}
	return 0
}

// shed turns away those who would come too late.
func (b *budget) shed(now time.Time) {
	position := 0
	b.queue = slices.DeleteFunc(b.queue, func(w *waiter) bool {
		wait := b.wait(now, position)
		if w.late(now, wait) {
			w.turn <- tooLate(wait)
			return true
		}
		position++
		return false
	})
}

// wait is how long it takes until there is a token for the one at position in the queue.
func (b *budget) wait(now time.Time, position int) time.Duration {
	missing := float64(position+1) - b.bucket.TokensAt(now)
	return max(0, time.Duration(missing/float64(b.bucket.Limit())*float64(time.Second)))
}

// dismiss turns everybody away.
func (b *budget) dismiss(err error) {
	for _, w := range b.queue {
		w.turn <- err
	}
	b.queue = nil
}
