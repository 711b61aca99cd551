package journal

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// Append stores an event, and returns nil only once it would survive a loss of power. An event of that route and id
// that arrived less than the de-duplication window ago makes it a Duplicate, which stores nothing; a duplicate of an
// event that is being written waits until that is on disk. An event that shares the id but not the bytes is no
// repetition: it goes into quarantine, where somebody can look at it, instead of being lost.
//
// The errors are ErrFull, ErrUnavailable and, when ctx ended first, that of ctx: then it may have been stored all
// the same, and a repetition will be a Duplicate.
func (j *Journal) Append(ctx context.Context, e event.Entry) (event.Outcome, error) {
	start := time.Now()
	outcome, err := j.append(ctx, e)
	j.metrics.appended(outcome, err, time.Since(start))
	if err != nil {
		return "", fmt.Errorf("storing event: %w", err)
	}
	return outcome, nil
}

func (j *Journal) append(ctx context.Context, e event.Entry) (event.Outcome, error) {
	state := stateCode(e.State)
	if e.State != event.Pending && e.State != event.Stored && e.State != event.Quarantined {
		return "", fmt.Errorf("an event cannot arrive in state %q", e.State)
	}
	// What can be done here is not done by the writer, for whom all wait.
	sealed, sum, err := sealEvent(&e.Event)
	if err != nil {
		return "", err
	}
	in := &incoming{event: &e.Event, identity: identity(&e.Event), sealed: sealed, sum: sum}
	in.status = status{state: state, id: hashed(e.Event.ID), received: nanos(e.Event.Received)}
	if e.OrderKey != "" {
		in.status.key = hashed(e.OrderKey)
	}
	var outcome event.Outcome
	err = j.submit(ctx, len(sealed), func(b *batch) (err error) {
		in.outcome, err = b.append(in)
		return err
	})
	if err == nil {
		outcome = in.outcome
	}
	return outcome, err
}

// incoming is an event on its way through the writer.
type incoming struct {
	event    *event.Event
	identity digest
	sealed   []byte
	sum      uint32
	status   status
	outcome  event.Outcome
}

func (b *batch) append(in *incoming) (event.Outcome, error) {
	if seq, ok := b.known(in); ok {
		if b.holds(seq, in.event.Body) {
			return event.Duplicate, nil
		}
		if err := in.divert(); err != nil {
			return "", err
		}
		if _, ok := b.known(in); ok {
			return event.Duplicate, nil
		}
	}
	if err := b.room(int64(len(in.sealed))); err != nil {
		return "", err
	}
	seq, err := b.events.NextSequence()
	if err != nil {
		b.spoil(fmt.Errorf("numbering event: %w", err))
		return "", b.err
	}
	r := b.rowOf(in.event.Route)
	r.Received++
	r.LastEvent = in.event.Received.Round(0).UTC()

	stamp(in.sealed, kindEvent, seq, in.sum)
	b.put(b.events, seqKey(seq), in.sealed)
	first := seen{seq: seq, id: in.identity, arrived: b.now}
	b.put(b.ids, in.identity[:], idValue(first))
	b.put(b.idlog, seqKey(seq), first.seal())

	s := in.status
	s.seq, s.version, s.route, s.arrived, s.since = seq, 1, r.Number, b.now, b.now
	if s.claimable() {
		s.due = b.now
	}
	b.change(nil, &s)
	if b.j.tails.any() {
		e := *in.event
		e.Body = nil
		b.added = append(b.added, s.record(e, func(n int64) time.Time { return instant(n).Add(b.off) }))
	}
	return event.Accepted, nil
}

// known returns which event brought its id within the window, if one did.
func (b *batch) known(in *incoming) (seq uint64, ok bool) {
	seq, arrived, ok := readIDValue(b.ids.Get(in.identity[:]))
	return seq, ok && time.Duration(b.now-arrived) < b.j.options.dedupeWindow(in.event.Route.Kind)
}

// holds reports whether an event has that body, or has been removed, so that nobody can tell. A damaged one does not:
// what comes in again may be all that there is of it.
func (b *batch) holds(seq uint64, body []byte) bool {
	sealed := b.events.Get(seqKey(seq))
	if sealed == nil {
		return true
	}
	stored, err := openEvent(sealed, seq, true)
	return err == nil && bytes.Equal(stored.Body, body)
}

// sharedID is why an event is in quarantine whose id is taken.
const sharedID = "an event with this id was stored before it, and has other bytes or is damaged"

// divert sends an event whose id is taken into quarantine, under an identity that its bytes are part of.
func (in *incoming) divert() (err error) {
	diverted := *in.event
	if diverted.Quarantine == "" {
		diverted.Quarantine = sharedID
	}
	in.event, in.identity = &diverted, identity(&diverted, string(diverted.Body))
	in.status.state, in.status.key = codeQuarantined, digest{}
	in.sealed, in.sum, err = sealEvent(&diverted)
	return err
}

// room is nil if the batch may grow by an event of that size.
func (b *batch) room(size int64) error {
	if b.full != nil {
		return b.full
	}
	if err := b.j.space.fits(b.size + size); err != nil {
		return err
	}
	b.size += size
	return nil
}
