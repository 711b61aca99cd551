package essemulator

import (
	"container/heap"
	"time"
)

// lane is the deliveries of one subscription that wait, and how many are under way: at Concur every
// subscription is a delivery application of its own, so a slow endpoint holds up nobody else.
type lane struct {
	waiting  queue
	underway int
}

// queue is a heap of deliveries: by time of the next attempt, or by publication when order is kept.
type queue struct {
	list    []*delivery
	ordered bool
}

func (q *queue) Len() int      { return len(q.list) }
func (q *queue) Swap(i, j int) { q.list[i], q.list[j] = q.list[j], q.list[i] }
func (q *queue) Push(d any)    { q.list = append(q.list, d.(*delivery)) }

func (q *queue) Less(i, j int) bool {
	a, b := q.list[i], q.list[j]
	if q.ordered || a.NextAttempt.Equal(b.NextAttempt) {
		return a.ID < b.ID
	}
	return a.NextAttempt.Before(b.NextAttempt)
}

func (q *queue) Pop() any {
	last := len(q.list) - 1
	d := q.list[last]
	q.list[last] = nil // do not keep it alive
	q.list = q.list[:last]
	return d
}

// await puts a delivery into its lane; e.mu is held.
func (e *Emulator) await(d *delivery) {
	l, ok := e.lanes[d.SubscriptionID]
	if !ok {
		l = &lane{}
		e.lanes[d.SubscriptionID] = l
	}
	l.order(e.assume.Ordered)
	heap.Push(&l.waiting, d)
}

// order follows a change of the assumption.
func (l *lane) order(ordered bool) {
	if l.waiting.ordered != ordered {
		l.waiting.ordered = ordered
		heap.Init(&l.waiting)
	}
}

// next returns the time at which the lane could start a delivery, and whether there is one.
func (l *lane) next(a *Assumptions) (time.Time, bool) {
	limit := a.Workers
	if a.Ordered {
		limit = 1
	}
	if l.waiting.Len() == 0 || l.underway >= limit {
		return time.Time{}, false
	}
	return l.waiting.list[0].NextAttempt, true
}

// due takes the deliveries that can start now and says when the next one can; e.mu is held. The time is
// zero when nothing waits for the clock.
func (e *Emulator) due() (start []*delivery, next time.Time) {
	now := e.clock.Now()
	for id, l := range e.lanes {
		l.order(e.assume.Ordered)
		at, ok := l.next(&e.assume)
		for ok && !at.After(now) && e.underway < maxUnderway {
			start = append(start, heap.Pop(&l.waiting).(*delivery))
			l.underway++
			e.underway++
			at, ok = l.next(&e.assume)
		}
		if ok && (next.IsZero() || at.Before(next)) {
			next = at
		}
		if l.waiting.Len() == 0 && l.underway == 0 {
			delete(e.lanes, id)
		}
	}
	return start, next
}

// quiet tells whether nothing is under way or due; e.mu is held.
func (e *Emulator) quiet() bool {
	if e.underway > 0 {
		return false
	}
	now := e.clock.Now()
	for _, l := range e.lanes {
		if at, ok := l.next(&e.assume); ok && !at.After(now) {
			return false
		}
	}
	return true
}
