package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	bolt "go.etcd.io/bbolt"
	"k8s.io/utils/clock"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// Options say where a journal is and what it keeps. Only Path is needed.
type Options struct {
	// Path is the file; its directory must exist.
	Path string
	// MaxSize is what the file may hold, in bytes; default 8 GiB. At 80 % delivered events go early, at 95 %
	// appends are refused.
	MaxSize int64
	// DedupeWindow is how long an id is remembered after its first arrival; default 96h, since ESS repeats an
	// event for 72h (SAP Concur, Event Subscription Service v4, Retry Policy).
	DedupeWindow time.Duration
	// CalloutDedupeWindow is the same for connectors, whose notifications have no id but the hash of their bytes;
	// default 96h. A notification that comes about with the same bytes within it is taken for a repetition.
	CalloutDedupeWindow time.Duration
	// Retention is how long events are kept that are not pending; default 168h. Dead ones count from their death.
	Retention time.Duration
	// MinFree is how much of the file system stays free, in bytes; default 64 MiB, or 5 % of MaxSize if that is less.
	MinFree int64
	// Clock default is the real one.
	Clock clock.WithTicker
	// Logger default is slog's.
	Logger *slog.Logger
	// Registerer gets the metrics; nil: none are registered.
	Registerer prometheus.Registerer

	// Seams for tests.
	openFile func(string, int, os.FileMode) (*os.File, error)
	free     func(path string) (int64, error)
	noSync   bool
}

func (o *Options) setDefaults() {
	o.MaxSize = cmp.Or(o.MaxSize, 8<<30)
	o.DedupeWindow = cmp.Or(o.DedupeWindow, 96*time.Hour)
	o.CalloutDedupeWindow = cmp.Or(o.CalloutDedupeWindow, 96*time.Hour)
	o.Retention = cmp.Or(o.Retention, 168*time.Hour)
	o.MinFree = cmp.Or(o.MinFree, min(64<<20, o.MaxSize/20))
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.openFile == nil {
		o.openFile = os.OpenFile
	}
	if o.free == nil {
		o.free = freeSpace
	}
}

// dedupeWindow is how long the ids of a kind of route are remembered.
func (o *Options) dedupeWindow(kind event.Kind) time.Duration {
	if kind == event.Connector {
		return o.CalloutDedupeWindow
	}
	return o.DedupeWindow
}

// Journal is an open store of events. Make one with Open.
type Journal struct {
	options Options
	clock   *storeClock
	metrics *metrics
	latency time.Duration // of the startup check's syncs

	ops     chan *op      // unbuffered: whoever waits to send is the next batch
	closing chan struct{} // closed by Close
	written chan struct{} // closed when the writer has ended
	failed  chan struct{} // wakes Run after a failure
	crowded chan struct{} // wakes Run when delivered events should go early
	once    sync.Once

	// dbMu is held for reading by who uses db, and for writing by who exchanges it.
	dbMu sync.RWMutex
	db   *bolt.DB
	// failure is why nothing is written now; nil when all is well.
	failure atomic.Pointer[failure]
	space   space

	routes  *routes
	claims  *claims
	signals *signals
	tails   *tails
	damage  *damage
	// early is where the search for events to remove early goes on.
	early atomic.Uint64
}

// failure is an error that stops all writing.
type failure struct{ err error }

// unavailable is nil while the journal takes writes.
func (j *Journal) unavailable() error {
	if f := j.failure.Load(); f != nil {
		return fmt.Errorf("%w: %w", event.ErrUnavailable, f.err)
	}
	if j.closed() {
		return fmt.Errorf("%w: it is closed", event.ErrUnavailable)
	}
	return nil
}

// closed reports whether Close was called.
func (j *Journal) closed() bool {
	select {
	case <-j.closing:
		return true
	default:
		return false
	}
}

// fail stops all writing until the file was opened anew.
func (j *Journal) fail(err error) {
	if j.failure.CompareAndSwap(nil, &failure{err}) {
		j.metrics.failed.Set(1)
		j.options.Logger.Error("refusing events until the journal can be opened anew", "error", err)
	}
	wake(j.failed)
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run keeps house until ctx ends: it removes what is past its time, and reopens the file after a failure.
func (j *Journal) Run(ctx context.Context) error {
	ticker := j.options.Clock.NewTicker(housekeeping)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-j.closing:
			return nil
		case <-j.failed:
			j.reopen(ctx)
		case <-j.crowded:
			j.keepHouse(ctx, j.relieve)
		case <-ticker.C():
			j.keepHouse(ctx, (&expiry{j: j}).some, j.forget, j.relieve)
		}
	}
}

// housekeeping is how often Run looks for what is past its time.
const housekeeping = time.Minute

// Close waits for the transaction under way, writes what lets the next Open be quick, and closes the file. Whoever
// waits to write gets ErrUnavailable.
func (j *Journal) Close() error {
	var err error
	j.once.Do(func() {
		close(j.closing)
		<-j.written
		j.tails.close()
		j.dbMu.Lock()
		defer j.dbMu.Unlock()
		j.metrics.unregister(j.options.Registerer)
		if j.db == nil {
			return
		}
		if j.failure.Load() == nil {
			err = j.finish()
		}
		err = errors.Join(err, j.db.Close())
		j.db = nil
	})
	if err != nil {
		return fmt.Errorf("closing journal %s: %w", j.options.Path, err)
	}
	return nil
}

// finish writes the list of free pages, which would otherwise be computed by the next Open, and the time.
func (j *Journal) finish() error {
	return guard(func() error {
		j.db.NoFreelistSync = false
		return j.db.Update(func(tx *bolt.Tx) error {
			now, _ := j.clock.look()
			return tx.Bucket(bucketMeta).Put(metaClock, seqKey(uint64(nanos(now))))
		})
	})
}
