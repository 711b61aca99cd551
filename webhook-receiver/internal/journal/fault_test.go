package journal

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
	"k8s.io/utils/clock"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// disk gives a journal its file, and can take it away.
type disk struct {
	t  testing.TB
	mu sync.Mutex
	// file is what the journal has open now.
	file *os.File
	// readOnly makes the next files refuse writes; missing makes opening fail.
	readOnly, missing bool
}

var errMissing = errors.New("the disk is gone")

func (d *disk) open(path string, flag int, mode os.FileMode) (*os.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.missing {
		return nil, errMissing
	}
	if d.readOnly {
		flag = os.O_RDONLY
	}
	f, err := os.OpenFile(path, flag, mode)
	d.file = f
	return f, err
}

// become replaces the open file, so that the kernel itself refuses what is asked of it.
func (d *disk) become(path string, flag int) {
	d.t.Helper()
	other, err := os.OpenFile(path, flag, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	defer other.Close()
	if err := unix.Dup3(int(other.Fd()), int(d.file.Fd()), unix.O_CLOEXEC); err != nil {
		d.t.Fatal(err)
	}
}

func (d *disk) will(readOnly, missing bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.readOnly, d.missing = readOnly, missing
}

func onDisk(t testing.TB, change ...func(*Options)) (*bench, *disk) {
	d := &disk{t: t}
	b := open(t, append(change, func(o *Options) { o.openFile, o.noSync = d.open, false })...)
	return b, d
}

func (b *bench) refused() {
	b.t.Helper()
	if _, err := b.Append(b.t.Context(), entry(reports, "refused")); !errors.Is(err, event.ErrUnavailable) {
		b.t.Fatalf("Append = %v, want ErrUnavailable", err)
	}
}

var faults = map[string]struct {
	reason string
	path   string // of what the file becomes; empty: itself
	flag   int
}{
	"ENOSPC": {reason: "A disk that is full refuses the write.", path: "/dev/full", flag: os.O_RDWR},
	"EINVAL": {reason: "What takes every write may still not sync.", path: "/dev/null", flag: os.O_RDWR},
	"EBADF":  {reason: "A file that became read-only refuses the write.", flag: os.O_RDONLY},
}

// TestFailedWriteStopsAllUntilReopened makes the kernel refuse a write or a sync.
func TestFailedWriteStopsAllUntilReopened(t *testing.T) {
	t.Parallel()
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, d := onDisk(t)
			kept := b.add(entry(reports, "kept"))
			b.claim(reports, "kept")
			path := fault.path
			if path == "" {
				path = b.options.Path
			}
			d.become(path, fault.flag)
			b.refused()
			if b.Stats().Failed == "" {
				t.Errorf("%s Stats does not tell of it", fault.reason)
			}
			d.become(b.options.Path, os.O_RDWR)
			b.refused() // though the file is well again: what it holds of the first write is unknown
			b.broken(kept)

			d.will(true, false)
			if err := b.exchange(); !errors.Is(err, unix.EBADF) {
				t.Errorf("reopening a file that cannot be written: %v, want EBADF", err)
			}
			b.refused()
			d.will(false, true)
			if err := b.exchange(); !errors.Is(err, errMissing) {
				t.Errorf("reopening a file that cannot be opened: %v", err)
			}
			b.refused()
			d.will(false, false)
			b.recovers(kept)
		})
	}
}

// broken wants errors of everything that reads.
func (b *bench) broken(seq uint64) {
	b.t.Helper()
	_, err1 := b.Get(seq)
	_, _, err2 := b.List(event.Filter{}, event.Page{})
	_, _, err3 := b.Claim(reports, 1)
	_, err4 := b.ReplayAll(b.t.Context(), event.Filter{})
	for i, err := range []error{err1, err2, err3, err4, b.Replay(seq), b.Settle(seq, event.Settlement{})} {
		if !errors.Is(err, event.ErrUnavailable) {
			b.t.Errorf("answer %d = %v, want ErrUnavailable", i, err)
		}
	}
	if s := b.Stats(); len(s.Routes) != 1 || s.Routes[0].Pending != 1 {
		b.t.Errorf("Stats = %+v, want what was known before", s)
	}
}

// recovers wants everything as it was once the file can be opened.
func (b *bench) recovers(kept uint64) {
	b.t.Helper()
	if err := b.exchange(); err != nil {
		b.t.Fatal(err)
	}
	if failed := b.Stats().Failed; failed != "" {
		b.t.Errorf("it still says %q", failed)
	}
	b.state(kept, event.Pending)
	b.claim(reports) // the claim holds, and can be settled now
	b.settle(kept, event.Settlement{})
	if _, err := b.Append(b.t.Context(), entry(reports, "refused")); err != nil {
		b.t.Error(err)
	}
	b.checked()
	b.reopen()
	b.state(kept, event.Delivered)
}

// TestRunReopensByItself lets Run find out.
func TestRunReopensByItself(t *testing.T) {
	t.Parallel()
	b, d := onDisk(t, func(o *Options) { o.Clock = clock.RealClock{} })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	b.add(entry(reports, "a"))
	changed := b.Changed(reports)
	<-changed
	d.become("/dev/full", os.O_RDWR)
	b.refused()
	<-changed // all are told once it works again
	b.appends(entry(reports, "b"), event.Accepted)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestOnlyOneReceiverHoldsTheFile opens it twice.
func TestOnlyOneReceiverHoldsTheFile(t *testing.T) {
	t.Parallel()
	b := open(t)
	if j, err := Open(b.options); err == nil {
		_ = j.Close()
		t.Fatal("two have it open")
	}
	b.appends(entry(reports, "a"), event.Accepted)
}
