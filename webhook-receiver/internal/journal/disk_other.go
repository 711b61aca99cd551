//go:build unix && !linux

package journal

import (
	"os"

	"golang.org/x/sys/unix"
)

// freeSpace is what is left for us on the file system of path, in bytes.
func freeSpace(path string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}

// doubtful knows the file systems of Linux only.
func doubtful(string) string { return "" }

func readAhead(*os.File, int64, int64) {}
