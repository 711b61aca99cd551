// Package tree tells go test what the results of a suite depend on.
//
// go test takes a result from its cache when the test binary, the environment and the
// files that the test opened are those of the last time. It does not see what other
// programs read: kubectl the manifests, go build the source of a program. A suite that
// starts such programs would pass with a manifest that was broken since. Nor does it
// see what is read in TestMain.
package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Depend makes the results of this process depend on all files below root, the top of
// the module, but for those that are built and git's own. Each directory is read, which
// go test remembers with the size and the time of every file in it. Only a test can call
// it: before the first and after the last, go test does not listen.
func Depend(root string) error {
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path != root:
			return nil // somebody has just removed it
		case err != nil:
			return err
		case entry.IsDir() && (path == filepath.Join(root, "bin") || path == filepath.Join(root, ".git")):
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("looking for what the tests depend on: %w", err)
	}
	return nil
}
