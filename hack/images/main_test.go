package main

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// The program that tests make images of: the one with the fewest dependencies.
const small = "ess-emulator"

// archived makes the archive of the small program from the tree in root, and returns its path.
func archived(t *testing.T, root string, more ...string) string {
	t.Helper()
	out := t.TempDir()
	args := append([]string{
		"archives", "-root", root, "-out", out, "-programs", small, "-platforms", "linux/amd64",
		"-version", "v9.8.7+test", "-tag", "v9.8.7", "-revision", "1a2b3c4", "-created", "1795000000",
	}, more...)
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), args, &stdout, &stderr); code != 0 {
		t.Fatalf("images %v ends with %d: %s", args, code, stderr.String())
	}
	return filepath.Join(out, small+".tar")
}

// tree copies the tree that this test is part of, so that it is somewhere else.
func tree(t *testing.T) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
	command.Dir, command.Env = "../..", environment()
	list, err := command.Output()
	if err != nil {
		t.Skipf("the tree is no clone, so its files cannot be told from others: %v", err)
	}
	dir := t.TempDir()
	for name := range strings.SplitSeq(strings.TrimRight(string(list), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join("../..", name))
		if errors.Is(err, os.ErrNotExist) {
			continue // deleted, and not committed yet
		}
		to := filepath.Join(dir, name)
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestArchivesAreReproducible makes an image in two places and wants the same bytes.
func TestArchivesAreReproducible(t *testing.T) {
	t.Parallel()
	here, there := read(t, archived(t, "../..")), read(t, archived(t, tree(t)))
	if !bytes.Equal(here, there) {
		t.Errorf("the archives of two directories differ, with %d and %d bytes", len(here), len(there))
	}
}

func TestImage(t *testing.T) {
	t.Parallel()
	image := load(t, archived(t, "../.."))
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	files := contents(t, image)
	t.Run("Labels", func(t *testing.T) {
		t.Parallel()
		const prefix = "org.opencontainers.image."
		want := map[string]string{
			prefix + "title": small, prefix + "description": "Emulator of SAP Concur's Event Subscription Service, for tests and demos",
			prefix + "version": "v9.8.7+test", prefix + "revision": "1a2b3c4", prefix + "created": "2026-11-18T11:06:40Z",
			prefix + "source":   "https://github.com/ess-operator/ess-operator",
			prefix + "licenses": "Apache-2.0 AND BSD-3-Clause",
		}
		if diff := cmp.Diff(want, file.Config.Labels); diff != "" {
			t.Errorf("labels (-want +got):\n%s", diff)
		}
	})
	t.Run("Files", func(t *testing.T) {
		t.Parallel()
		for _, name := range []string{
			small, "etc/passwd", "etc/group", "etc/ssl/certs/ca-certificates.crt", "sbom.cdx.json", "licenses/std/LICENSE",
			"licenses/github.com/ess-operator/ess-operator/LICENSE", "licenses/golang.org/x/crypto/x509roots/fallback/LICENSE",
		} {
			if len(files[name]) == 0 {
				t.Errorf("the image has no /%s, or an empty one", name)
			}
		}
	})
	t.Run("LicenceOfEachComponent", func(t *testing.T) {
		t.Parallel()
		for _, c := range components(t, files["sbom.cdx.json"]) {
			if !hasBelow(files, "licenses/"+c+"/") {
				t.Errorf("the bill of materials names %s, of which there is no licence", c)
			}
		}
	})
	t.Run("Static", func(t *testing.T) {
		t.Parallel()
		static(t, files[small])
	})
	t.Run("Runs", func(t *testing.T) {
		t.Parallel()
		if file.Architecture != "amd64" || file.OS != "linux" {
			t.Fatalf("the image is for %s/%s", file.OS, file.Architecture)
		}
		if got := output(t, files[small]); got != small+" v9.8.7+test\n" {
			t.Errorf("--version prints %q", got)
		}
	})
}

// static fails when the program needs another file to run.
func static(t *testing.T, program []byte) {
	t.Helper()
	file, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("it has a segment %v, so it needs a file that the image does not have", p.Type)
		}
	}
}

// output is what the program prints for --version.
func output(t *testing.T, program []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), small)
	writeProgram(t, path, program)
	out, err := exec.CommandContext(t.Context(), path, "--version").Output()
	var format *exec.Error
	if errors.As(err, &format) {
		t.Skipf("this machine cannot run programs for amd64: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// components returns the names in a bill of materials.
func components(t *testing.T, bill []byte) []string {
	t.Helper()
	var read struct {
		Components []struct{ Name string }
	}
	if err := json.Unmarshal(bill, &read); err != nil {
		t.Fatal(err)
	}
	if len(read.Components) < 2 {
		t.Fatalf("the bill of materials lists %d components", len(read.Components))
	}
	var names []string
	for _, c := range read.Components {
		names = append(names, c.Name)
	}
	return names
}

func hasBelow(files map[string][]byte, dir string) bool {
	for name := range files {
		if strings.HasPrefix(name, dir) {
			return true
		}
	}
	return false
}

// load reads the only image out of an archive.
func load(t *testing.T, path string) v1.Image {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "tar", "-xf", path, "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("unpacking %s: %v: %s", path, err, out)
	}
	top, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	outer, err := top.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	index, err := top.ImageIndex(outer.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	inner, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	image, err := index.Image(inner.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// contents returns all files of an image by name.
func contents(t *testing.T, image v1.Image) map[string][]byte {
	t.Helper()
	stream := mutate.Extract(image)
	defer stream.Close()
	files := make(map[string][]byte)
	for in := tar.NewReader(stream); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[header.Name], err = io.ReadAll(in); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
