// Package image makes container images from nothing but files.
//
// An [Image] has no base image and so no shell, no package manager and no file that
// nobody asked for. Its layers are ordered by how seldom they change: what all images
// share ([Base]), licences, the program. [New] makes one for one platform, [Index] one
// that holds several, of which a node takes its own.
//
// The same files always give the same digest, with the same release of Go, whose
// compression decides the bytes of a layer.
package image

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Layer is a part of an image that is stored and loaded as one.
type Layer struct {
	About string // what it holds, for the history
	Files []File
}

// Config says what an image is besides its files.
type Config struct {
	Entrypoint string            // absolute path of the program
	Platform   v1.Platform       // that the program runs on
	Labels     map[string]string // org.opencontainers.image.…
	Created    time.Time
}

// New makes the image of one platform.
func New(c Config, layers ...Layer) (v1.Image, error) {
	created := v1.Time{Time: c.Created.UTC()}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, l := range layers {
		layer, err := l.compress()
		if err != nil {
			return nil, fmt.Errorf("making the layer of %s: %w", l.About, err)
		}
		history := v1.History{Created: created, CreatedBy: "make image-archives", Comment: l.About}
		if image, err = mutate.Append(image, mutate.Addendum{Layer: layer, History: history}); err != nil {
			return nil, fmt.Errorf("adding the layer of %s: %w", l.About, err)
		}
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading the configuration of the image: %w", err)
	}
	file = file.DeepCopy()
	file.Created, file.OS, file.Architecture = created, c.Platform.OS, c.Platform.Architecture
	file.Config = v1.Config{
		User:       fmt.Sprintf("%[1]d:%[1]d", userID),
		Entrypoint: []string{c.Entrypoint},
		WorkingDir: home,
		Env:        []string{"PATH=/", "HOME=" + home},
		Labels:     c.Labels,
	}
	return mutate.ConfigFile(image, file)
}

func (l Layer) compress() (v1.Layer, error) {
	var b bytes.Buffer
	if err := writeTar(&b, l.Files); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer),
		tarball.WithCompressionLevel(gzip.DefaultCompression), tarball.WithCompressedCaching)
}

// Index joins images of one program for several platforms.
func Index(images []v1.Image, labels map[string]string) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, image := range images {
		config, err := image.ConfigFile()
		if err != nil {
			return nil, fmt.Errorf("reading the platform of an image: %w", err)
		}
		platform := v1.Platform{OS: config.OS, Architecture: config.Architecture}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: plain{image}, Descriptor: v1.Descriptor{Platform: &platform}})
	}
	annotated, ok := mutate.Annotations(index, labels).(v1.ImageIndex)
	if !ok {
		return nil, fmt.Errorf("annotating the index of images: it is no index any more")
	}
	return annotated, nil
}

// plain is an image that is not called an artifact: the library would write the type of
// its configuration as one, which tools that ask for images may not expect.
type plain struct{ v1.Image }

// ArtifactType returns nothing, which is then left out.
func (plain) ArtifactType() (string, error) { return "", nil }
