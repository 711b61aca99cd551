package image

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

var config = Config{
	Entrypoint: "/program",
	Platform:   v1.Platform{OS: "linux", Architecture: "arm64"},
	Labels:     map[string]string{"org.opencontainers.image.title": "program"},
	Created:    time.Date(2026, time.November, 22, 3, 0, 0, 0, time.UTC),
}

func layer(files ...File) Layer { return Layer{About: "files", Files: files} }

func TestRootsAreWhatMozillaTrustsWithoutCondition(t *testing.T) {
	t.Parallel()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(roots()) {
		t.Fatal("there is no certificate in the file")
	}
	want := x509.NewCertPool()
	conditional := 0
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			conditional++
			continue
		}
		certificate, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			t.Fatal(err)
		}
		want.AddCert(certificate)
	}
	if !pool.Equal(want) {
		t.Error("the file has other certificates than the list")
	}
	if conditional == 0 {
		t.Log("the list has no authority with a condition at present, so that leaving them out is not tested")
	}
}

func TestNewSaysWhoRunsWhat(t *testing.T) {
	t.Parallel()
	image, err := New(config, layer(Base()...), layer(File{Name: "program", Mode: 0o755, Data: []byte("x")}))
	if err != nil {
		t.Fatal(err)
	}
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := v1.Config{
		User: "65532:65532", Entrypoint: []string{"/program"}, WorkingDir: "/home/nonroot",
		Env: []string{"PATH=/", "HOME=/home/nonroot"}, Labels: config.Labels,
	}
	if diff := cmp.Diff(want, file.Config); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	if got := file.OS + "/" + file.Architecture; got != "linux/arm64" || !file.Created.Equal(config.Created) {
		t.Errorf("the image is for %s and from %v", got, file.Created)
	}
}

func TestSameFilesGiveTheSameDigest(t *testing.T) {
	t.Parallel()
	files := []File{{Name: "a/b", Mode: 0o644, Data: []byte("b")}, {Name: "a/a", Mode: 0o644, Data: []byte("a")}, {Name: "c/", Mode: 0o700, Owner: userID}}
	cases := map[string]struct {
		reason string
		files  func() []File
		same   bool
	}{
		"Reversed": {
			reason: "Lists of files come from maps and directories, in any order.",
			files:  func() []File { r := slices.Clone(files); slices.Reverse(r); return r },
			same:   true,
		},
		"OtherMode": {
			reason: "A digest that does not cover the permissions would hide a change.",
			files:  func() []File { r := slices.Clone(files); r[0].Mode = 0o755; return r },
		},
		"OtherOwner": {
			reason: "As the permissions.",
			files:  func() []File { r := slices.Clone(files); r[2].Owner = 0; return r },
		},
		"OtherContent": {
			reason: "Of course.",
			files:  func() []File { r := slices.Clone(files); r[0].Data = []byte("B"); return r },
		},
	}
	want := digest(t, files)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := digest(t, tc.files()); (got == want) != tc.same {
				t.Errorf("%s\ndigests %s and %s", tc.reason, got, want)
			}
		})
	}
}

func digest(t *testing.T, files []File) string {
	t.Helper()
	image, err := New(config, layer(files...))
	if err != nil {
		t.Fatal(err)
	}
	d, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// TestExtractWritesWhatTheLayerHolds compares both ways out: builders of containers
// copy the directory, and archives have the tar.
func TestExtractWritesWhatTheLayerHolds(t *testing.T) {
	t.Parallel()
	l := layer(append(Base(), File{Name: "licenses/x/LICENSE", Mode: 0o644, Data: []byte("text")})...)
	dir := t.TempDir()
	if err := l.Extract(dir); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := writeTar(&b, l.Files); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(inTar(t, &b), inDirectory(t, dir)); diff != "" {
		t.Errorf("files of the tar and of the directory (-tar +directory):\n%s", diff)
	}
}

// inTar describes each file by name: permissions, time, content.
func inTar(t *testing.T, r io.Reader) map[string]string {
	t.Helper()
	files := make(map[string]string)
	for in := tar.NewReader(r); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimSuffix(header.Name, "/")] = describe(header.FileInfo(), data)
	}
}

func inDirectory(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		var data []byte
		if !d.IsDir() {
			if data, err = os.ReadFile(path); err != nil {
				return err
			}
		}
		name, err := filepath.Rel(dir, path)
		files[filepath.ToSlash(name)] = describe(info, data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func describe(info fs.FileInfo, data []byte) string {
	return fmt.Sprintf("%v %v %q", info.Mode(), info.ModTime().UTC(), data)
}

func TestIndexHoldsEachPlatform(t *testing.T) {
	t.Parallel()
	var images []v1.Image
	for _, arch := range []string{"amd64", "arm64"} {
		c := config
		c.Platform.Architecture = arch
		image, err := New(c, layer(Base()...))
		if err != nil {
			t.Fatal(err)
		}
		images = append(images, image)
	}
	index, err := Index(images, map[string]string{"org.opencontainers.image.title": "program"})
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var platforms []string
	for _, m := range manifest.Manifests {
		platforms = append(platforms, m.Platform.String())
		if m.ArtifactType != "" {
			t.Errorf("the image for %s is called an artifact of type %s", m.Platform, m.ArtifactType)
		}
	}
	if diff := cmp.Diff([]string{"linux/amd64", "linux/arm64"}, platforms); diff != "" {
		t.Errorf("platforms (-want +got):\n%s", diff)
	}
	if manifest.Annotations["org.opencontainers.image.title"] != "program" {
		t.Errorf("annotations of the index: %v", manifest.Annotations)
	}
}
