package archive

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/ess-operator/ess-operator/hack/images/internal/image"
)

var (
	name    = Name{Repository: "registry.example.com:5000/team/program", Tag: "v1.2.3"}
	created = time.Date(2026, time.November, 22, 3, 0, 0, 0, time.FixedZone("", 3600))
)

// written is an archive of an image for two platforms that share their first layer.
func written(t *testing.T) []byte {
	t.Helper()
	var images []v1.Image
	for _, arch := range []string{"amd64", "arm64"} {
		config := image.Config{Entrypoint: "/program", Platform: v1.Platform{OS: "linux", Architecture: arch}, Created: created}
		made, err := image.New(config,
			image.Layer{About: "shared", Files: image.Base()},
			image.Layer{About: "own", Files: []image.File{{Name: "program", Mode: 0o755, Data: []byte(arch)}}})
		if err != nil {
			t.Fatal(err)
		}
		images = append(images, made)
	}
	index, err := image.Index(images, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Write(&b, index, name, created); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// files returns what is in an archive, and fails when a name is there twice.
func files(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	all := make(map[string][]byte)
	for in := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := all[header.Name]; twice {
			t.Errorf("%s is there twice", header.Name)
		}
		if !header.ModTime.Equal(created) || header.Uid != 0 {
			t.Errorf("%s is from %v and of user %d", header.Name, header.ModTime, header.Uid)
		}
		all[header.Name] = data
	}
}

func TestWriteIsALayoutThatNamesTheImage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for file, data := range files(t, written(t)) {
		at := filepath.Join(dir, filepath.FromSlash(file))
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	top, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(top); err != nil {
		t.Errorf("the layout contradicts itself: %v", err)
	}
	manifest, err := top.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"io.containerd.image.name":          "registry.example.com:5000/team/program:v1.2.3",
		"org.opencontainers.image.ref.name": "v1.2.3",
	}
	if len(manifest.Manifests) != 1 {
		t.Fatalf("index.json has %d entries; loaders take the image for several", len(manifest.Manifests))
	}
	if diff := cmp.Diff(want, manifest.Manifests[0].Annotations); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
}

func TestWriteNamesBlobsByTheirContent(t *testing.T) {
	t.Parallel()
	blobs := 0
	for file, data := range files(t, written(t)) {
		if !strings.HasPrefix(file, "blobs/sha256/") {
			continue
		}
		blobs++
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != path.Base(file) {
			t.Errorf("%s holds something else", file)
		}
	}
	// An index, two manifests, two configurations, the shared layer and one layer each.
	if blobs != 8 {
		t.Errorf("there are %d blobs, want 8", blobs)
	}
}

func TestWriteServesDockersOlderStore(t *testing.T) {
	t.Parallel()
	all := files(t, written(t))
	var manifests []struct {
		Config           string
		RepoTags, Layers []string
	}
	if err := json.Unmarshal(all["manifest.json"], &manifests); err != nil {
		t.Fatal(err)
	}
	if len(manifests) != 1 {
		t.Fatalf("manifest.json has %d images", len(manifests))
	}
	m := manifests[0]
	if diff := cmp.Diff([]string{name.String()}, m.RepoTags); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	for _, blob := range append(m.Layers, m.Config) {
		if _, ok := all[blob]; !ok {
			t.Errorf("manifest.json names %s, which is not there", blob)
		}
	}
	var config v1.ConfigFile
	if err := json.Unmarshal(all[m.Config], &config); err != nil || config.Architecture != "amd64" || len(m.Layers) != 2 {
		t.Errorf("the image is for %s with %d layers (%v), want the first platform's", config.Architecture, len(m.Layers), err)
	}
}

func TestWriteReportsAFullDisk(t *testing.T) {
	t.Parallel()
	index, err := image.Index(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(full{}, index, name, created); !errors.Is(err, errFull) {
		t.Errorf("Write() gives the error %v", err)
	}
}

var errFull = errors.New("no space left")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
