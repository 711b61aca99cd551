package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/ess-operator/ess-operator/hack/images/internal/gobuild"
	"github.com/ess-operator/ess-operator/hack/images/internal/image"
	"github.com/ess-operator/ess-operator/hack/images/internal/licence"
	"github.com/ess-operator/ess-operator/hack/images/internal/sbom"
)

// rootsModule is the module whose data becomes the file of certificate authorities. It
// is linked into this program, not into those that it makes images of.
const rootsModule = "golang.org/x/crypto/x509roots/fallback"

// parts are what an image is put together from.
type parts struct {
	layers   []image.Layer
	licences string // SPDX expression of all that the image holds
	sbom     []byte
	modules  int // that are linked in
}

// image makes the image of p for one platform.
func (o options) image(ctx context.Context, p program, platform v1.Platform) (v1.Image, error) {
	parts, err := o.parts(ctx, p, platform)
	if err != nil {
		return nil, err
	}
	labels := o.annotations(p)
	labels["org.opencontainers.image.licenses"] = parts.licences
	config := image.Config{Entrypoint: "/" + p.name, Platform: platform, Labels: labels, Created: o.created}
	return image.New(config, parts.layers...)
}

// annotations are what all platforms of an image have in common.
func (o options) annotations(p program) map[string]string {
	const prefix = "org.opencontainers.image."
	return map[string]string{
		prefix + "title":       p.name,
		prefix + "description": p.about,
		prefix + "version":     o.version,
		prefix + "revision":    cmp.Or(o.revision, "unknown"),
		prefix + "source":      o.source,
		prefix + "created":     o.created.Format(time.RFC3339),
	}
}

// parts compiles p and collects what goes with it.
func (o options) parts(ctx context.Context, p program, platform v1.Platform) (made parts, err error) {
	dir, err := os.MkdirTemp("", "images-*")
	if err != nil {
		return parts{}, fmt.Errorf("making a directory to compile in: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	settings := gobuild.Settings{Root: o.root, Version: o.version, OS: platform.OS, Arch: platform.Architecture, FIPS140: o.fips}
	binary, err := gobuild.Compile(ctx, settings, p.main, filepath.Join(dir, p.name))
	if err != nil {
		return parts{}, err
	}
	texts, err := licence.Collect(binary)
	if err != nil {
		return parts{}, err
	}
	var bill bytes.Buffer
	subject := sbom.Subject{Name: p.name, Version: o.version, About: p.about, Source: o.source, Created: o.created}
	if err := sbom.Write(&bill, subject, binary, texts); err != nil {
		return parts{}, err
	}
	roots, err := o.rootsLicence(ctx)
	if err != nil {
		return parts{}, err
	}
	return assemble(p, binary, append(texts, roots...), bill.Bytes())
}

// rootsLicence returns the licence of the certificate authorities.
func (o options) rootsLicence(ctx context.Context) ([]licence.Text, error) {
	dir, err := gobuild.ModuleDir(ctx, filepath.Join(o.root, "hack", "images"), rootsModule)
	if err != nil {
		return nil, err
	}
	return licence.Module(rootsModule, dir)
}

func assemble(p program, binary *gobuild.Binary, texts []licence.Text, bill []byte) (parts, error) {
	executable, err := os.ReadFile(binary.Path)
	if err != nil {
		return parts{}, fmt.Errorf("reading %s: %w", binary.Path, err)
	}
	var licences []image.File
	for _, t := range texts {
		licences = append(licences, image.File{Name: "licenses/" + t.Name, Mode: 0o644, Data: t.Data})
	}
	return parts{
		layers: []image.Layer{
			{About: "user, home and certificate authorities", Files: image.Base()},
			{About: "licence texts", Files: licences},
			{About: "the program and what it is made of", Files: []image.File{
				{Name: p.name, Mode: 0o755, Data: executable},
				{Name: "sbom.cdx.json", Mode: 0o644, Data: bill},
			}},
		},
		licences: licence.Expression(texts),
		sbom:     bill,
		modules:  len(binary.Modules),
	}, nil
}
