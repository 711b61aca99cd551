package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// Settle ends a claim and stores how the attempt ended; it returns once that is on disk. After ErrUnavailable the
// claim holds, and the same settlement can be tried again: to give the event to somebody else now would make its
// sink get it twice. After every other answer the claim is over.
//
// A dead letter that its sink took keeps the error for which it died. The settlement of an event that was replayed
// meanwhile changes nothing. The errors are ErrNotClaimed, ErrNotFound when it has been removed, ErrUnavailable
// and ErrDamaged.
func (j *Journal) Settle(seq uint64, how event.Settlement) error {
	c, ok := j.claims.get(seq)
	if !ok {
		return fmt.Errorf("settling event %d: %w", seq, event.ErrNotClaimed)
	}
	var err error
	if !how.Abandoned {
		err = j.submit(context.Background(), statusSize+len(how.Error), func(b *batch) error {
			return b.settle(seq, c.version, how)
		})
	}
	if !errors.Is(err, event.ErrUnavailable) {
		// Released after the commit: a claim in between would take the event as it was.
		j.claims.release(seq)
		j.signals.wake(c.route)
	}
	if err != nil {
		return fmt.Errorf("settling event %d: %w", seq, err)
	}
	return nil
}

func (b *batch) settle(seq uint64, version uint32, how event.Settlement) error {
	old, err := b.existing(seq)
	if err != nil {
		return err
	}
	if old.version != version {
		return nil
	}
	now := *old
	now.version++
	now.attempts++
	now.attempted = nanos(b.wall)
	if how.Error == "" {
		now.delivered()
	} else {
		b.failed(&now, how)
	}
	if now.state != old.state {
		now.since = b.now
	}
	if r := b.row(now.route); r != nil {
		r.LastError, r.ErrorTime = "", instant(0)
		if how.Error != "" {
			r.LastError, r.ErrorTime = cut(how.Error), b.wall
		}
	}
	b.change(old, &now)
	return nil
}

// delivered: a sink took it. For a dead letter that was the dead letter sink, and dead it stays.
func (s *status) delivered() {
	s.due, s.letter = 0, false
	if s.state != codeDead {
		s.state, s.err = codeDelivered, ""
	}
}

// failed: what comes next is what the settlement says.
func (b *batch) failed(s *status, how event.Settlement) {
	s.err = cut(how.Error)
	switch {
	case how.ToDeadLetterSink && !s.letter:
		s.state, s.letter, s.attempts, s.due = codeDead, true, 0, b.now
		if !how.RetryAt.IsZero() {
			s.due = b.stored(how.RetryAt)
		}
	case how.RetryAt.IsZero():
		s.state, s.letter, s.due = codeDead, false, 0
	default:
		s.due = b.stored(how.RetryAt)
	}
}

// cut bounds an error text.
func cut(text string) string {
	if len(text) > maxError {
		text = text[:maxError]
	}
	return strings.ToValidUTF8(text, "�")
}
