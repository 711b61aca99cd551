package reload_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
)

func TestSymlinkSwap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "old")
		dir := t.TempDir()
		for _, version := range []string{"v1", "v2"} {
			if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, version, "file"), []byte(version), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		link := filepath.Join(dir, "..data")
		b.path = filepath.Join(link, "file")
		if err := os.Symlink("v1", link); err != nil {
			t.Fatal(err)
		}
		if err := b.watcher.Watch(b.source()); err != nil {
			t.Fatal(err)
		}
		b.run()
		if err := os.Symlink("v2", link+"_tmp"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(link+"_tmp", link); err != nil {
			t.Fatal(err)
		}
		pass(2 * interval)
		b.want("v1", "v2")
	})
}

func TestWhatIsNoFile(t *testing.T) {
	t.Parallel()
	b := newBench(t, "one")
	b.path = t.TempDir()
	if err := b.watcher.Watch(b.source()); err == nil {
		t.Error("a folder passes for a file")
	}
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 17<<20); err != nil {
		t.Fatal(err)
	}
	b.path = large
	if err := b.watcher.Watch(b.source()); err == nil {
		t.Error("a file of 17 MiB is read")
	}
}
