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
	return int64(s.Bavail) * s.Bsize, nil
}

// doubtful says why a file system is no place for a journal; empty when nothing is known against it.
func doubtful(path string) string {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return ""
	}
	switch uint32(s.Type) {
	case unix.TMPFS_MAGIC, unix.RAMFS_MAGIC:
		return "it is in memory: every event is lost when the machine or the pod goes"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "it is the container's own layer: every event is lost with the container; mount a volume"
	case unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, 0xFF534D42, 0xFE534D42:
		return "it is on the network: its locks and its fsync may not be what bbolt needs"
	}
	return ""
}

// readAhead has the kernel read what will be asked for.
func readAhead(f *os.File, offset, size int64) {
	_ = unix.Fadvise(int(f.Fd()), offset, size, unix.FADV_WILLNEED)
}
