package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	berrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sys/unix"
)

const (
	// syncChecks is how often the startup check syncs.
	syncChecks = 7
	// slowSync is where the disk bounds how many events can be taken.
	slowSync = 50 * time.Millisecond
)

// checkDisk measures the disk below dir and tells of what speaks against it.
func checkDisk(dir string, log *slog.Logger) (time.Duration, error) {
	latency, err := measureSync(dir)
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		// What is stored can still be delivered, and removed.
		log.Error("the disk of the journal is full; refusing events until there is space", "directory", dir)
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("checking the disk: %w", err)
	}
	log.Info("measured the disk of the journal", "directory", dir, "syncLatency", latency.String())
	if why := doubtful(dir); why != "" {
		log.Warn("the file system of the journal does not keep what it confirms", "directory", dir, "because", why)
	}
	if latency > slowSync {
		log.Warn("the disk of the journal is slow; few events can be taken at a time", "directory", dir, "syncLatency", latency.String())
	}
	return latency, nil
}

// measureSync is the median of some small writes with fsync.
func measureSync(dir string) (time.Duration, error) {
	f, err := os.CreateTemp(dir, ".sync-check-*")
	if err != nil {
		return 0, err
	}
	defer func() { _ = errors.Join(f.Close(), os.Remove(f.Name())) }()
	block := make([]byte, 4096)
	took := make([]time.Duration, syncChecks)
	for i := range took {
		start := time.Now()
		if _, err := f.Write(block); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	return took[syncChecks/2], nil
}

// lockFile takes the lock of an open file; the error is bbolt's ErrTimeout when another process has it.
func lockFile(f *os.File) error {
	const pause = 50 * time.Millisecond
	for deadline := time.Now().Add(lockWait); ; time.Sleep(pause) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR):
			return fmt.Errorf("locking it: %w", err)
		case time.Now().After(deadline):
			return berrors.ErrTimeout
		}
	}
}
