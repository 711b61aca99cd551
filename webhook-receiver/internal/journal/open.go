package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// format is the version of what the buckets hold. Another one is refused.
const format = 1

// lockWait is how long Open waits for a process that is about to end.
const lockWait = 3 * time.Second

// ErrInUse is what Open answers when another process holds the file.
var ErrInUse = errors.New("another receiver holds it")

// Open opens the journal at Options.Path, or makes it. It measures the disk, proves the whole tree of an existing
// file, and starts to write. The errors say what to do: ErrDamaged for a file that has to be salvaged.
func Open(o Options) (*Journal, error) {
	o.setDefaults()
	j := &Journal{
		options: o, metrics: newMetrics(),
		ops: make(chan *op), closing: make(chan struct{}), written: make(chan struct{}),
		failed: make(chan struct{}, 1), crowded: make(chan struct{}, 1),
		routes: &routes{}, claims: &claims{seqs: map[uint64]claim{}},
		signals: &signals{chans: map[event.RouteID]chan struct{}{}},
		tails:   &tails{open: map[*tail]struct{}{}}, damage: &damage{seqs: map[uint64]struct{}{}},
	}
	dir := filepath.Dir(o.Path)
	j.space.max, j.space.reserve = o.MaxSize, o.MinFree
	j.space.free = func() (int64, error) { return o.free(dir) }
	if err := j.start(dir); err != nil {
		return nil, fmt.Errorf("opening journal %s: %w", o.Path, err)
	}
	go j.write()
	return j, nil
}

func (j *Journal) start(dir string) error {
	err := j.create(dir)
	if err != nil {
		return err
	}
	if j.db, err = j.openFile(); err != nil {
		return err
	}
	// Not before the file is ours: whoever waits for its lock tries again every few seconds.
	if !j.options.noSync {
		j.latency, err = checkDisk(dir, j.options.Logger)
	}
	if err == nil {
		err = j.load()
	}
	if err == nil {
		err = j.indexes()
	}
	if err = explain(err, j.options.Path); err == nil {
		err = j.metrics.register(j.options.Registerer, j)
	}
	if err != nil {
		return errors.Join(err, j.db.Close())
	}
	return nil
}

// openFile locks and proves the file, and has bbolt map it.
func (j *Journal) openFile() (*bolt.DB, error) {
	options := &bolt.Options{
		Timeout: lockWait, FreelistType: bolt.FreelistMapType, NoFreelistSync: true,
		// All of it at once: to map it anew, bbolt waits for every reader.
		InitialMmapSize: int(j.options.MaxSize), NoSync: j.options.noSync,
		OpenFile: func(path string, _ int, mode os.FileMode) (*os.File, error) {
			return openProven(path, mode, j.options.openFile)
		},
	}
	var db *bolt.DB
	err := guard(func() (err error) {
		db, err = bolt.Open(j.options.Path, 0o600, options)
		return err
	})
	return db, explain(err, j.options.Path)
}

// explain says what to do about an error of opening the file.
func explain(err error, path string) error {
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("%w; stop that one, or give this one a path of its own", ErrInUse)
	case errors.Is(err, ErrDamaged):
		return fmt.Errorf("%w; stop the receiver and bring what is whole into a new file with "+
			"\"webhook-receiver journal salvage --from %s --to %s.salvaged\"", err, path, path)
	}
	return err
}

// openProven opens an existing file, takes the lock that bbolt will take again, and proves it before it is mapped:
// bbolt takes a page that is not there for memory that is not there, which ends the process.
func openProven(path string, mode os.FileMode, open func(string, int, os.FileMode) (*os.File, error)) (*os.File, error) {
	f, err := open(path, os.O_RDWR, mode)
	if err != nil {
		return nil, err
	}
	if err = lockFile(f); err == nil {
		var info os.FileInfo
		if info, err = f.Stat(); err == nil {
			err = prove(f, info.Size(), func(offset, size int64) { readAhead(f, offset, size) })
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// create makes the file if there is none: complete under another name, so that no crash leaves half of one.
func (j *Journal) create(dir string) (err error) {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	// Two receivers that start together must not both make it.
	if err := lockFile(d); err != nil {
		return explain(err, j.options.Path)
	}
	if _, err := os.Stat(j.options.Path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	unfinished := j.options.Path + ".new"
	if err := os.Remove(unfinished); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	now, _ := newStoreClock(j.options.Clock, time.Time{}).look()
	if err := createFile(unfinished, nanos(now)); err != nil {
		return err
	}
	if err := os.Rename(unfinished, j.options.Path); err != nil {
		return err
	}
	return d.Sync()
}

// createFile makes an empty journal.
func createFile(path string, now int64) error {
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range buckets {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		meta := tx.Bucket(bucketMeta)
		return errors.Join(meta.Put(metaFormat, seqKey(format)), meta.Put(metaClock, seqKey(uint64(now))))
	})
	return errors.Join(err, db.Close())
}

// load reads what is kept in memory.
func (j *Journal) load() error {
	var stored time.Time
	err := guard(func() error {
		return j.db.View(func(tx *bolt.Tx) error {
			if err := checkFormat(tx); err != nil {
				return err
			}
			if b := tx.Bucket(bucketMeta).Get(metaClock); len(b) == 8 {
				stored = instant(int64(binary.BigEndian.Uint64(b)))
			}
			return j.routes.load(tx)
		})
	})
	if err != nil {
		return err
	}
	if j.clock == nil {
		j.clock = newStoreClock(j.options.Clock, stored)
	}
	j.measure()
	return nil
}

func checkFormat(tx *bolt.Tx) error {
	var missing []string
	for _, name := range buckets {
		if tx.Bucket(name) == nil {
			missing = append(missing, string(name))
		}
	}
	switch len(missing) {
	case 0:
	case len(buckets):
		return errors.New("this is a bbolt file, but no journal: it has none of a journal's buckets")
	default:
		return fmt.Errorf("%w: it has no bucket %s", ErrDamaged, strings.Join(missing, ", "))
	}
	v := tx.Bucket(bucketMeta).Get(metaFormat)
	if len(v) != 8 {
		return fmt.Errorf("%w: it does not say its format", ErrDamaged)
	}
	if n := number(v); n != format {
		return fmt.Errorf("it has format %d, and this version reads format %d: use the version that wrote it", n, format)
	}
	return nil
}
