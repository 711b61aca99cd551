package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/ess-operator/ess-operator/hack/images/internal/archive"
	"github.com/ess-operator/ess-operator/hack/images/internal/image"
)

// archives writes <out>/<program>.tar for each program, or <program>-fips.tar.
func (o options) archives(ctx context.Context, stdout io.Writer) error {
	for _, p := range o.programs {
		var images []v1.Image
		for _, platform := range o.platforms {
			built, err := o.image(ctx, p, platform)
			if err != nil {
				return fmt.Errorf("making the image of %s for %s: %w", p.name, platform, err)
			}
			images = append(images, built)
		}
		index, err := image.Index(images, o.annotations(p))
		if err != nil {
			return fmt.Errorf("joining the images of %s: %w", p.name, err)
		}
		name := archive.Name{Repository: o.repository + "/" + p.name, Tag: o.tag}
		path := filepath.Join(o.out, p.name+o.suffix()+".tar")
		if err := writeFile(path, func(w io.Writer) error { return archive.Write(w, index, name, o.created) }); err != nil {
			return err
		}
		digest, err := index.Digest()
		if err != nil {
			return fmt.Errorf("reading the digest of %s: %w", name, err)
		}
		fmt.Fprintf(stdout, "images: %s holds %s@%s\n", path, name, digest)
	}
	return nil
}

// suffix parts what is built with the FIPS module from what is not.
func (o options) suffix() string {
	if o.fips == "" {
		return ""
	}
	return "-fips"
}

// rootfs writes the files of the one program and platform chosen into <out>.
func (o options) rootfs(ctx context.Context, _ io.Writer) error {
	if len(o.programs) != 1 || len(o.platforms) != 1 {
		return errors.New("rootfs takes one program and one platform")
	}
	parts, err := o.parts(ctx, o.programs[0], o.platforms[0])
	if err != nil {
		return err
	}
	for _, l := range parts.layers {
		if err := l.Extract(o.out); err != nil {
			return fmt.Errorf("writing the files of %s: %w", o.programs[0].name, err)
		}
	}
	return nil
}

// sboms writes <out>/<program>.cdx.json for each program, of the first platform.
func (o options) sboms(ctx context.Context, stdout io.Writer) error {
	for _, p := range o.programs {
		parts, err := o.parts(ctx, p, o.platforms[0])
		if err != nil {
			return fmt.Errorf("listing what %s is made of: %w", p.name, err)
		}
		path := filepath.Join(o.out, p.name+o.suffix()+".cdx.json")
		if err := writeFile(path, func(w io.Writer) error { _, err := io.Copy(w, bytes.NewReader(parts.sbom)); return err }); err != nil {
			return err
		}
		fmt.Fprintf(stdout, "images: %s lists %d modules\n", path, parts.modules)
	}
	return nil
}

// writeFile writes a file under another name first, so that it is whole or not there.
func writeFile(path string, write func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("making the directory of %s: %w", path, err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := errors.Join(write(file), file.Chmod(0o644), file.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", path, errors.Join(err, os.Remove(file.Name())))
	}
	return os.Rename(file.Name(), path)
}
