// Package archive writes an image as one file that every container tool can load.
//
// The file is a tar of an OCI image layout (oci-layout, index.json, blobs), which
// containerd, kind, k3s, podman, skopeo, crane and Docker with its containerd store
// read. The image has its full name in the annotations of index.json.
//
// Docker's older store reads no layout, but a manifest.json that names blobs. The file
// has that as well, for the first platform; whoever sees an oci-layout ignores it.
package archive

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// The annotations that loaders find the name in.
const (
	annotationName = "io.containerd.image.name"          // the full name: containerd, podman
	annotationTag  = "org.opencontainers.image.ref.name" // the tag: OCI, skopeo
)

// Name is what an image is called where it is loaded.
type Name struct {
	Repository string // such as ghcr.io/ess-operator/manager
	Tag        string // such as v0.1.0
}

// String returns the name in full.
func (n Name) String() string { return n.Repository + ":" + n.Tag }

// writer writes files into a tar, each blob once.
type writer struct {
	tar     *tar.Writer
	created time.Time
	written map[v1.Hash]bool
}

// Write writes the index and all that it refers to. The time is that of the files.
func Write(w io.Writer, index v1.ImageIndex, name Name, created time.Time) error {
	a := writer{tar: tar.NewWriter(w), created: created.UTC(), written: make(map[v1.Hash]bool)}
	if err := a.writeAll(index, name); err != nil {
		return fmt.Errorf("writing the archive of %s: %w", name, err)
	}
	if err := a.tar.Close(); err != nil {
		return fmt.Errorf("writing the archive of %s: %w", name, err)
	}
	return nil
}

func (a writer) writeAll(index v1.ImageIndex, name Name) error {
	if err := a.file("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)); err != nil {
		return err
	}
	if err := a.index(index, name); err != nil {
		return err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return err
	}
	for i, descriptor := range manifest.Manifests {
		image, err := index.Image(descriptor.Digest)
		if err != nil {
			return err
		}
		if i == 0 {
			if err := a.dockerManifest(image, name); err != nil {
				return err
			}
		}
		if err := a.image(image); err != nil {
			return err
		}
	}
	return nil
}

// index writes index.json, which names the image, and the image's own index.
func (a writer) index(index v1.ImageIndex, name Name) error {
	raw, err := index.RawManifest()
	if err != nil {
		return err
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	top := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{{
		MediaType: types.OCIImageIndex, Digest: digest, Size: int64(len(raw)),
		Annotations: map[string]string{annotationName: name.String(), annotationTag: name.Tag},
	}}}
	if err := a.json("index.json", top); err != nil {
		return err
	}
	return a.blob(digest, raw)
}

// image writes the blobs of an image.
func (a writer) image(image v1.Image) error {
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	manifest, err := image.Manifest()
	if err != nil {
		return err
	}
	raw, err := image.RawManifest()
	if err != nil {
		return err
	}
	config, err := image.RawConfigFile()
	if err != nil {
		return err
	}
	if err := a.blob(digest, raw); err != nil {
		return err
	}
	if err := a.blob(manifest.Config.Digest, config); err != nil {
		return err
	}
	layers, err := image.Layers()
	if err != nil {
		return err
	}
	for _, layer := range layers {
		if err := a.layer(layer); err != nil {
			return err
		}
	}
	return nil
}

func (a writer) layer(layer v1.Layer) error {
	digest, err := layer.Digest()
	if err != nil {
		return err
	}
	content, err := layer.Compressed()
	if err != nil {
		return err
	}
	defer content.Close()
	data, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	return a.blob(digest, data)
}

// dockerManifest writes what Docker's older store looks for.
func (a writer) dockerManifest(image v1.Image, name Name) error {
	manifest, err := image.Manifest()
	if err != nil {
		return err
	}
	type entry struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	e := entry{Config: blobPath(manifest.Config.Digest), RepoTags: []string{name.String()}}
	for _, l := range manifest.Layers {
		e.Layers = append(e.Layers, blobPath(l.Digest))
	}
	return a.json("manifest.json", []entry{e})
}

func (a writer) json(name string, value any) error {
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(value); err != nil {
		return err
	}
	return a.file(name, b.Bytes())
}

func (a writer) blob(digest v1.Hash, data []byte) error {
	if a.written[digest] {
		return nil
	}
	a.written[digest] = true
	return a.file(blobPath(digest), data)
}

func blobPath(digest v1.Hash) string { return "blobs/" + digest.Algorithm + "/" + digest.Hex }

func (a writer) file(name string, data []byte) error {
	header := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), ModTime: a.created, Format: tar.FormatUSTAR}
	if err := a.tar.WriteHeader(header); err != nil {
		return err
	}
	_, err := a.tar.Write(data)
	return err
}
