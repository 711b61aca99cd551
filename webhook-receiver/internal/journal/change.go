package journal

import (
	"bytes"
	"fmt"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// change writes the new status of an event, and keeps every index and count in step. A nil old is a new event, a nil
// now one that is removed.
func (b *batch) change(old, now *status) {
	if old != nil && now != nil && old.ordered() && now.ordered() {
		b.reschedule(old, now)
		return
	}
	if old != nil {
		b.leave(old)
	}
	if now == nil {
		b.remove(b.state, seqKey(old.seq))
		return
	}
	b.enter(now)
}

// reschedule is the change of an event that stays in the line of its key.
func (b *batch) reschedule(old, now *status) {
	b.put(b.state, seqKey(now.seq), now.seal())
	b.remove(b.due, dueKey(old))
	if b.head(now) == now.seq {
		b.put(b.due, dueKey(now), nil)
	}
	b.wake(now.route)
}

// leave takes an event out of the indexes.
func (b *batch) leave(old *status) {
	if r := b.row(old.route); r != nil && r.Counts[old.state] > 0 {
		r.Counts[old.state]--
	}
	if indexed(old.state) {
		b.remove(b.index, indexKey(old))
	}
	if old.claimable() {
		b.remove(b.due, dueKey(old))
	}
	if old.ordered() {
		b.remove(b.order, orderKey(old))
		b.promote(old)
	}
}

// enter puts an event into the indexes.
func (b *batch) enter(now *status) {
	if r := b.row(now.route); r != nil {
		r.Counts[now.state]++
	}
	b.put(b.state, seqKey(now.seq), now.seal())
	if indexed(now.state) {
		b.put(b.index, indexKey(now), nil)
	}
	if !now.claimable() {
		return
	}
	b.wake(now.route)
	if !now.ordered() {
		b.put(b.due, dueKey(now), nil)
		return
	}
	before := b.head(now)
	b.put(b.order, orderKey(now), nil)
	switch {
	case before == 0:
		b.put(b.due, dueKey(now), nil)
	case now.seq < before: // replayed: it comes before those that waited
		b.put(b.due, dueKey(now), nil)
		if s := b.status(before); s != nil {
			b.remove(b.due, dueKey(s))
		}
	}
}

// promote makes the first of a key claimable.
func (b *batch) promote(of *status) {
	seq := b.head(of)
	if seq == 0 {
		return
	}
	if s := b.status(seq); s != nil {
		b.put(b.due, dueKey(s), nil)
		b.wake(s.route)
	}
}

// head is the first event in the line of a key; 0 when nobody waits.
func (b *batch) head(of *status) uint64 {
	prefix := orderPrefix(of)
	key, _ := b.order.Cursor().Seek(prefix)
	if !bytes.HasPrefix(key, prefix) {
		return 0
	}
	return number(key)
}

// status reads the status of an event as the batch has it so far; nil when there is none or it is damaged.
func (b *batch) status(seq uint64) *status {
	sealed := b.state.Get(seqKey(seq))
	if sealed == nil {
		return nil
	}
	s, err := openStatus(sealed, seq)
	if err != nil {
		b.j.found(seq, err)
		return nil
	}
	return s
}

// existing is status for a caller who asked for that event.
func (b *batch) existing(seq uint64) (*status, error) {
	if s := b.status(seq); s != nil {
		return s, nil
	}
	if b.state.Get(seqKey(seq)) != nil {
		return nil, fmt.Errorf("%w: the state of event %d", ErrDamaged, seq)
	}
	return nil, event.ErrNotFound
}

// wake tells who delivers for that route, once the batch is committed.
func (b *batch) wake(number uint32) {
	if r := b.row(number); r != nil {
		b.woken[r.Route] = struct{}{}
	}
}
