package journal

import (
	"context"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// Replay makes an event pending again, due now, its attempts counted anew. A pending event stays as it is. It
// returns once that is on disk; the errors are ErrNotFound, ErrUnavailable and ErrDamaged.
func (j *Journal) Replay(seq uint64) error {
	err := j.submit(context.Background(), statusSize, func(b *batch) error {
		s, err := b.existing(seq)
		if err != nil {
			return err
		}
		b.replay(s)
		return nil
	})
	if err != nil {
		return fmt.Errorf("replaying event %d: %w", seq, err)
	}
	return nil
}

// ReplayAll replays what the filter selects now, in batches, and returns how many were made pending. When it fails
// in the middle, those of earlier batches stay pending.
func (j *Journal) ReplayAll(ctx context.Context, f event.Filter) (int, error) {
	last, err := j.last()
	if err != nil {
		return 0, fmt.Errorf("replaying events: %w", err)
	}
	var replayed int
	for after := uint64(0); ; {
		if err := ctx.Err(); err != nil {
			return replayed, fmt.Errorf("replaying events: %w", err)
		}
		seqs, next, err := j.matching(f, event.Page{After: after, Limit: replayBatch})
		if err != nil {
			return replayed, fmt.Errorf("replaying events: %w", err)
		}
		n, err := j.replaySome(ctx, f, seqs)
		replayed += n
		if err != nil {
			return replayed, fmt.Errorf("replaying events: %w", err)
		}
		// Events that arrive or die from now on are not meant.
		if next == 0 || next >= last {
			return replayed, nil
		}
		after = next
	}
}

const replayBatch = 256

// last is the newest seq.
func (j *Journal) last() (uint64, error) {
	var seq uint64
	err := j.view(func(tx *bolt.Tx) error {
		key, _ := tx.Bucket(bucketState).Cursor().Last()
		seq = number(key)
		return nil
	})
	return seq, err
}

// replaySome replays those that the filter still selects when their turn comes.
func (j *Journal) replaySome(ctx context.Context, f event.Filter, seqs []uint64) (int, error) {
	if len(seqs) == 0 {
		return 0, nil
	}
	var n int
	err := j.submit(ctx, len(seqs)*statusSize, func(b *batch) error {
		for _, seq := range seqs {
			s, err := b.existing(seq)
			if errors.Is(err, event.ErrNotFound) || errors.Is(err, ErrDamaged) {
				continue
			}
			if err != nil {
				return err
			}
			if (f.State == "" || states[s.state] == f.State) && b.replay(s) {
				n++
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// replay reports whether it changed anything.
func (b *batch) replay(old *status) bool {
	if old.state == codePending {
		return false
	}
	now := *old
	now.version++
	now.replays++
	now.state, now.letter, now.attempts = codePending, false, 0
	now.due, now.since = b.now, b.now
	b.change(old, &now)
	return true
}
