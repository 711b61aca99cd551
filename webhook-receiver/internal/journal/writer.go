package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

const (
	// maxBatch and maxBatchBytes bound a transaction, so that no caller waits long for the others.
	maxBatch      = 1024
	maxBatchBytes = 16 << 20
	// maxFreelist is how many free pages are written with each commit. A longer list would cost more than it
	// saves, and is computed by the next Open, unless the journal was closed in good order.
	maxFreelist = 1024
)

// op is one change that somebody waits for.
type op struct {
	// apply makes the change in the batch. Its error is the caller's alone and means that nothing was changed; what
	// spoils the whole batch goes to batch.spoil.
	apply func(b *batch) error
	size  int
	err   error
	done  chan struct{} // closed when err is final
}

// submit has the writer apply a change, and returns once it is on disk or was refused. When ctx ends first it
// returns the error of ctx; the change may still be made.
func (j *Journal) submit(ctx context.Context, size int, apply func(b *batch) error) error {
	if err := j.unavailable(); err != nil {
		return err
	}
	o := &op{apply: apply, size: size, done: make(chan struct{})}
	select {
	case j.ops <- o:
	case <-ctx.Done():
		return ctx.Err()
	case <-j.closing:
		return fmt.Errorf("%w: it is closed", event.ErrUnavailable)
	}
	select {
	case <-o.done:
		return o.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// write is the only goroutine that changes the file.
func (j *Journal) write() {
	defer close(j.written)
	var p pace
	for {
		ops := j.collect(&p)
		if ops == nil {
			return
		}
		start := time.Now()
		j.commit(ops)
		p.note(len(ops), time.Since(start))
	}
}

// commit makes the changes in one transaction and answers everybody.
func (j *Journal) commit(ops []*op) {
	err := j.transact(ops)
	for _, o := range ops {
		if err != nil {
			o.err = err
		}
		close(o.done)
	}
}

func (j *Journal) transact(ops []*op) error {
	j.dbMu.RLock()
	defer j.dbMu.RUnlock()
	if f := j.failure.Load(); f != nil {
		return fmt.Errorf("%w: %w", event.ErrUnavailable, f.err)
	}
	start := time.Now()
	b := &batch{j: j}
	err := guard(func() error { return b.run(ops) })
	if err != nil {
		j.fail(err)
		return fmt.Errorf("%w: %w", event.ErrUnavailable, err)
	}
	if b.changed {
		j.metrics.commit(len(ops), time.Since(start))
		b.publish()
	}
	return nil
}

// run makes and commits the transaction; a batch that changes nothing costs no sync.
func (b *batch) run(ops []*op) error {
	tx, err := b.j.db.Begin(true)
	if err != nil {
		return fmt.Errorf("beginning transaction: %w", err)
	}
	// After a commit this does nothing; after a panic it frees the lock.
	defer func() { _ = tx.Rollback() }()
	b.begin(tx)
	for _, o := range ops {
		o.err = o.apply(b)
		if b.err != nil {
			return b.err
		}
	}
	if !b.changed {
		return nil
	}
	if err := b.finish(); err != nil {
		return err
	}
	stats := b.j.db.Stats()
	b.j.db.NoFreelistSync = stats.FreePageN+stats.PendingPageN > maxFreelist
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}

// spoil notes an error after which nothing of the batch may be committed.
func (b *batch) spoil(err error) {
	b.err = errors.Join(b.err, err)
}

// batch is the transaction that the writer is making.
type batch struct {
	j       *Journal
	tx      *bolt.Tx
	now     int64         // store time
	wall    time.Time     // wall time at now
	off     time.Duration // wall time less store time
	size    int64         // bytes that appends have added
	full    error
	rows    map[uint32]*row // counts of the routes that were touched
	woken   map[event.RouteID]struct{}
	added   []event.Record // for tails
	changed bool
	err     error

	meta, events, state, idlog, routes, ids, due, order, index *bolt.Bucket
}

func (b *batch) begin(tx *bolt.Tx) {
	now, wall := b.j.clock.look()
	b.tx, b.now, b.wall = tx, nanos(now), wall.Round(0).UTC()
	b.off = b.wall.Sub(now)
	b.rows, b.woken = map[uint32]*row{}, map[event.RouteID]struct{}{}
	b.full = b.j.space.full()
	for name, bucket := range map[*[]byte]**bolt.Bucket{
		&bucketMeta: &b.meta, &bucketEvents: &b.events, &bucketState: &b.state, &bucketIDLog: &b.idlog,
		&bucketRoutes: &b.routes, &bucketIDs: &b.ids, &bucketDue: &b.due, &bucketOrder: &b.order,
		&bucketIndex: &b.index,
	} {
		*bucket = tx.Bucket(*name)
	}
	// What comes in the order of its key leaves no gaps to fill.
	b.events.FillPercent, b.state.FillPercent, b.idlog.FillPercent = 0.95, 0.95, 1
}

// finish writes what goes once into each transaction.
func (b *batch) finish() error {
	for _, r := range b.rows {
		sealed, err := r.seal()
		if err != nil {
			return err
		}
		b.put(b.routes, routeKey(r.Number), sealed)
	}
	b.put(b.meta, metaClock, seqKey(uint64(b.now)))
	return b.err
}

// publish tells everybody else what was committed.
func (b *batch) publish() {
	b.j.routes.replace(b.rows)
	b.j.measure()
	b.j.tails.send(b.added)
	for id := range b.woken {
		b.j.signals.wake(id)
	}
}

func (b *batch) put(bucket *bolt.Bucket, key, value []byte) {
	b.changed = true
	if err := bucket.Put(key, value); err != nil {
		b.spoil(fmt.Errorf("writing: %w", err))
	}
}

func (b *batch) remove(bucket *bolt.Bucket, key []byte) {
	b.changed = true
	if err := bucket.Delete(key); err != nil {
		b.spoil(fmt.Errorf("removing: %w", err))
	}
}

// stored turns a time that a caller gave into store time.
func (b *batch) stored(wall time.Time) int64 { return nanos(wall.Add(-b.off)) }
