// Package reload notices when files change, and puts into force what is good.
//
// Files are watched by content, not by event: a Secret that is mounted into a
// pod changes by the swap of a symbolic link two folders up, which file system
// events do not tell of reliably. Reading a few small files every two seconds
// costs nothing.
//
// A [Source] is what belongs together, such as a certificate and its key, and is
// applied or refused as a whole. What is refused leaves in force what was there
// before, is said once in the log, and stays visible in the metrics until the
// files are good. A change is applied once two readings in a row agree, so that a
// file that is being written is not taken half; [Watcher.Run] does without the
// second reading when somebody asks for it by signal.
package reload

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"
)

// maxFile bounds what is read of a file: a Secret holds 1 MiB.
const maxFile = 16 << 20

// settling is how soon a changed file is read a second time.
const settling = 250 * time.Millisecond

// Files are the contents of a source's files, by path.
type Files map[string][]byte

// Source is what is made of one or more files.
type Source struct {
	// Name is a label of the metrics, such as "routes" or "events.tls".
	Name string
	// Files returns the paths to read now; they may change when another source does.
	Files func() []string
	// Settings returns what else goes into it, as a value that JSON can hold; nil: nothing. Apply runs
	// when it changes, too.
	Settings func() any
	// Apply puts the contents into force, or refuses them and changes nothing.
	Apply func(Files) error
}

// Status is how a source stands.
type Status struct {
	// Loaded is when what is in force was taken; zero: never.
	Loaded time.Time
	// Refused is why what the files hold now is not in force; nil when it is.
	Refused error
	// RefusedAt is when it was refused.
	RefusedAt time.Time
}

// Config is what a Watcher needs. Logger must be set.
type Config struct {
	// Interval is how often files are read; default 2s.
	Interval time.Duration
	Clock    clock.WithTicker
	Logger   *slog.Logger
	// Registerer gets the metrics; nil: they are counted for nobody.
	Registerer prometheus.Registerer
}

// Watcher keeps sources in step with their files.
type Watcher struct {
	Config
	metrics *metrics

	mu      sync.Mutex // held while files are read
	sources []*watched

	statusMu sync.Mutex // not held then: who asks must not wait for a disk
	status   map[string]Status
}

type watched struct {
	Source
	seen  fingerprint // at the last reading
	tried fingerprint // when Apply ran last
}

type fingerprint [sha256.Size]byte

// New returns a Watcher of nothing.
func New(c Config) (*Watcher, error) {
	if c.Interval <= 0 {
		c.Interval = 2 * time.Second
	}
	if c.Clock == nil {
		c.Clock = clock.RealClock{}
	}
	m, err := newMetrics(c.Registerer)
	if err != nil {
		return nil, err
	}
	return &Watcher{Config: c, metrics: m, status: map[string]Status{}}, nil
}

// Watch applies a source now and whenever it changes. An error says why it could not be applied now; it
// is watched nevertheless.
func (w *Watcher) Watch(s Source) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	source := &watched{Source: s}
	w.sources = append(w.sources, source)
	files, print, err := source.read()
	source.seen = print
	return w.apply(source, files, err)
}

// Status returns how the source of that name stands.
func (w *Watcher) Status(name string) Status {
	w.statusMu.Lock()
	defer w.statusMu.Unlock()
	return w.status[name]
}

// Run reads the files at every interval, and at once for each value of now, until ctx ends.
func (w *Watcher) Run(ctx context.Context, now <-chan os.Signal) error {
	timer := w.Clock.NewTimer(w.Interval)
	defer timer.Stop()
	for {
		settled := true
		select {
		case <-ctx.Done():
			return nil
		case <-now:
			w.Logger.InfoContext(ctx, "reading all files, because a signal asked for it")
			w.poll(ctx, true)
		case <-timer.C():
			settled = w.poll(ctx, false)
		}
		wait := w.Interval
		if !settled {
			wait = min(wait, settling)
		}
		timer.Reset(wait)
	}
}

// poll reads all files, applies what has changed, and reports whether nothing waits for a second reading.
func (w *Watcher) poll(ctx context.Context, atOnce bool) (settled bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	settled = true
	for _, s := range w.sources {
		files, print, err := s.read()
		stable := atOnce || print == s.seen
		s.seen = print
		switch {
		case print == s.tried:
		case !stable:
			settled = false
		default:
			w.tell(ctx, s, w.apply(s, files, err))
		}
	}
	return settled
}

// apply tries what was read, and notes how it ended.
func (w *Watcher) apply(s *watched, files Files, err error) error {
	s.tried = s.seen
	if err == nil {
		err = s.Apply(files)
	}
	now := w.Clock.Now()
	w.metrics.note(s.Name, now, err)
	w.statusMu.Lock()
	defer w.statusMu.Unlock()
	status := Status{Loaded: now}
	if err != nil {
		status = Status{Loaded: w.status[s.Name].Loaded, Refused: err, RefusedAt: now}
	}
	w.status[s.Name] = status
	return err
}

func (w *Watcher) tell(ctx context.Context, s *watched, err error) {
	if err != nil {
		w.Logger.ErrorContext(ctx, "refusing changed files, what was there before stays in force", "file", s.Name, "error", err)
		return
	}
	w.Logger.InfoContext(ctx, "changed files are in force", "file", s.Name)
}

// read returns the contents of all files of the source. The fingerprint covers the error, too, so that a
// file that cannot be read is refused once.
func (s *watched) read() (Files, fingerprint, error) {
	var errs []error
	h := sha256.New()
	if s.Settings != nil {
		if err := json.NewEncoder(h).Encode(s.Settings()); err != nil {
			errs = append(errs, fmt.Errorf("comparing the settings of %s: %w", s.Name, err))
		}
	}
	files := Files{}
	for _, path := range s.Files() {
		content, err := readFile(path)
		if err != nil {
			errs = append(errs, err)
		}
		files[path] = content
		write(h, []byte(path))
		write(h, content)
	}
	err := errors.Join(errs...)
	if err != nil {
		write(h, []byte(err.Error()))
	}
	return files, fingerprint(h.Sum(nil)), err
}

// write adds to a hash so that no two sequences of parts look alike.
func write(h hash.Hash, part []byte) {
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
	h.Write(part)
}

// readFile reads a file, within bounds. Errors name the path and what to do.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading a file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("reading %s: it is no file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading a file: %w", err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading a file: %w", err)
	case len(content) > maxFile:
		return nil, fmt.Errorf("reading %s: it is larger than %d MiB", path, maxFile>>20)
	}
	return content, nil
}
