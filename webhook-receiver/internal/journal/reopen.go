package journal

import (
	"context"
	"fmt"
	"time"
)

const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 30 * time.Second
)

// reopen tries to open the file anew until it works or ctx ends.
func (j *Journal) reopen(ctx context.Context) {
	for wait := firstRetry; j.failure.Load() != nil; wait = min(2*wait, lastRetry) {
		timer := j.options.Clock.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-j.closing:
		case <-timer.C():
		}
		timer.Stop()
		if ctx.Err() != nil || j.closed() {
			return
		}
		if err := j.exchange(); err != nil {
			j.options.Logger.Error("opening the journal anew", "error", err, "next", min(2*wait, lastRetry))
		}
	}
}

// exchange closes the file, opens it, and proves that it can be written. The kernel forgets a failed write once it
// has told of it, so that asking the same open file again proves nothing.
func (j *Journal) exchange() error {
	j.dbMu.Lock()
	defer j.dbMu.Unlock()
	if j.closed() {
		return nil
	}
	if j.db != nil {
		if err := guard(j.db.Close); err != nil {
			j.options.Logger.Warn("closing the journal after a failure", "error", err)
		}
		j.db = nil
	}
	db, err := j.openFile()
	if err != nil {
		return err
	}
	j.db = db
	if err := j.probe(); err != nil {
		return err
	}
	if err := j.load(); err != nil {
		return err
	}
	j.failure.Store(nil)
	j.metrics.failed.Set(0)
	j.metrics.reopened.Inc()
	j.options.Logger.Info("opened the journal anew; taking events again")
	j.signals.wakeAll()
	return nil
}

// probe commits twice. bbolt syncs the pages of a transaction before its meta page, so that a failed sync can leave
// no more than a meta page of which nobody knows whether the disk has it. Two commits write both meta pages anew.
func (j *Journal) probe() error {
	for i := range 2 {
		err := guard(func() error {
			tx, err := j.db.Begin(true)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback() }()
			if err := tx.Bucket(bucketMeta).Put(metaProbe, seqKey(uint64(i))); err != nil {
				return err
			}
			return tx.Commit()
		})
		if err != nil {
			return fmt.Errorf("writing to prove the disk: %w", err)
		}
	}
	return nil
}
