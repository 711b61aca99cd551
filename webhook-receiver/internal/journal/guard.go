package journal

import (
	"errors"
	"fmt"
	"runtime/debug"

	bolt "go.etcd.io/bbolt"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// guard runs what touches the mapped file. A page that the disk cannot give back (SIGBUS) and a page that bbolt
// finds impossible are panics; here they become errors.
func guard(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: reading it: %v", ErrDamaged, p)
		}
	}()
	return fn()
}

// view runs fn with what is committed. Slices of tx are gone after it.
func (j *Journal) view(fn func(tx *bolt.Tx) error) error {
	j.dbMu.RLock()
	defer j.dbMu.RUnlock()
	if err := j.unavailable(); err != nil {
		return err
	}
	return guard(func() error { return j.db.View(fn) })
}

// readStatus is nil when there is no such event.
func readStatus(tx *bolt.Tx, seq uint64) (*status, error) {
	sealed := tx.Bucket(bucketState).Get(seqKey(seq))
	if sealed == nil {
		return nil, nil
	}
	s, err := openStatus(sealed, seq)
	if err != nil {
		return nil, fmt.Errorf("reading state of event %d: %w", seq, err)
	}
	return s, nil
}

// readEvent returns an event that is in the file, with or without its body.
func readEvent(tx *bolt.Tx, seq uint64, body bool) (event.Event, error) {
	sealed := tx.Bucket(bucketEvents).Get(seqKey(seq))
	if sealed == nil {
		return event.Event{}, fmt.Errorf("reading event %d: %w: it has a state but no bytes", seq, ErrDamaged)
	}
	e, err := openEvent(sealed, seq, body)
	if err != nil {
		return event.Event{}, fmt.Errorf("reading event %d: %w", seq, err)
	}
	return e, nil
}

// Get returns an event with its body; ErrNotFound when it is not there, ErrDamaged when its bytes are not what was
// stored.
func (j *Journal) Get(seq uint64) (event.Record, error) {
	var r event.Record
	wall := j.clock.wallTime()
	err := j.view(func(tx *bolt.Tx) error {
		s, err := readStatus(tx, seq)
		if err != nil {
			return err
		}
		if s == nil {
			return fmt.Errorf("reading event %d: %w", seq, event.ErrNotFound)
		}
		e, err := readEvent(tx, seq, true)
		if err != nil {
			return err
		}
		r = s.record(e, wall)
		return nil
	})
	if errors.Is(err, ErrDamaged) {
		j.found(seq, err)
	}
	return r, err
}
