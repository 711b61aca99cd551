package image

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// The user that programs run as: not root, and no user of the node.
const (
	userID   = 65532
	userName = "nonroot"
	home     = "/home/" + userName
)

// File is a file of an image, or a directory when its name ends in a slash.
type File struct {
	Name  string // without a leading slash
	Mode  int64  // permissions
	Owner int    // user and group
	Data  []byte // what is in it
}

// fileTime is when every file in an image is from. It is not the time of the commit, so
// that a layer whose files stay the same keeps its digest, and nobody loads it again.
var fileTime = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// Base returns what every image has: a user, a home that it may write to, and the
// authorities that sign the certificates of servers.
func Base() []File {
	passwd := fmt.Sprintf("root:x:0:0:root:/:/sbin/nologin\n%[1]s:x:%[2]d:%[2]d:%[1]s:%[3]s:/sbin/nologin\n", userName, userID, home)
	group := fmt.Sprintf("root:x:0:\n%s:x:%d:\n", userName, userID)
	return []File{
		{Name: "etc/passwd", Mode: 0o644, Data: []byte(passwd)},
		{Name: "etc/group", Mode: 0o644, Data: []byte(group)},
		{Name: "etc/ssl/certs/ca-certificates.crt", Mode: 0o644, Data: roots()},
		{Name: "home/" + userName + "/", Mode: 0o755, Owner: userID},
	}
}

// roots returns Mozilla's certificate authorities as PEM. Those that Mozilla trusts only
// for certificates from before some day are left out, since a PEM file cannot say that.
func roots() []byte {
	var b bytes.Buffer
	b.WriteString("# Certificate authorities of Mozilla, by way of golang.org/x/crypto/x509roots.\n")
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			// Writing to memory does not fail.
			_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
		}
	}
	return b.Bytes()
}

// writeTar writes files and the directories above them, sorted, with nothing in it that
// depends on the machine.
func writeTar(w io.Writer, files []File) error {
	t := tar.NewWriter(w)
	for _, f := range withParents(files) {
		if err := f.write(t); err != nil {
			return fmt.Errorf("writing %s: %w", f.Name, err)
		}
	}
	return t.Close()
}

// withParents adds the directories that files are in and that are not among them.
func withParents(files []File) []File {
	all := make(map[string]File)
	for _, f := range files {
		for dir := path.Dir(strings.TrimSuffix(f.Name, "/")); dir != "."; dir = path.Dir(dir) {
			if _, ok := all[dir+"/"]; !ok {
				all[dir+"/"] = File{Name: dir + "/", Mode: 0o755}
			}
		}
	}
	for _, f := range files {
		all[f.Name] = f
	}
	return slices.SortedFunc(maps.Values(all), func(x, y File) int { return strings.Compare(x.Name, y.Name) })
}

func (f File) write(t *tar.Writer) error {
	header := &tar.Header{Name: f.Name, Mode: f.Mode, Uid: f.Owner, Gid: f.Owner, Size: int64(len(f.Data)), ModTime: fileTime, Format: tar.FormatUSTAR, Typeflag: tar.TypeReg}
	if f.isDir() {
		header.Typeflag = tar.TypeDir
	}
	if err := t.WriteHeader(header); err != nil {
		return err
	}
	_, err := t.Write(f.Data)
	return err
}

func (f File) isDir() bool { return strings.HasSuffix(f.Name, "/") }

// Extract writes the files of the layer below dir, with their permissions and times, and
// with their owners when it is run by root, who alone may give files away.
func (l Layer) Extract(dir string) error {
	files := withParents(l.Files)
	for _, f := range files {
		if err := f.extract(filepath.Join(dir, filepath.FromSlash(f.Name))); err != nil {
			return fmt.Errorf("writing %s: %w", f.Name, err)
		}
	}
	for _, f := range slices.Backward(files) { // a directory after what is in it, which changes its time
		if err := os.Chtimes(filepath.Join(dir, filepath.FromSlash(f.Name)), fileTime, fileTime); err != nil {
			return fmt.Errorf("writing %s: %w", f.Name, err)
		}
	}
	return nil
}

func (f File) extract(path string) error {
	if f.isDir() {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
	} else if err := os.WriteFile(path, f.Data, 0o600); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(path, f.Owner, f.Owner); err != nil {
			return err
		}
	}
	return os.Chmod(path, fs.FileMode(f.Mode))
}
