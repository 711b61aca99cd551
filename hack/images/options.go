package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const usage = `Usage: images archives|rootfs|sbom [flags]

  archives  writes one OCI archive for each program
  rootfs    writes the files of one image into a directory, for builders of containers
  sbom      writes a bill of materials for each program

Run it by "make image-archives" or "make sbom", which give it version, commit and time.

`

// options are the command line.
type options struct {
	command    string
	root       string // of the module that holds the programs
	out        string // directory to write into
	programs   []program
	platforms  []v1.Platform
	version    string // what programs print for --version
	tag        string // of the images
	repository string // that the names of programs are appended to
	source     string // URL of the source, for labels
	revision   string // commit
	created    time.Time
	fips       string // as GOFIPS140
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	var names, platforms, created string
	fs := flag.NewFlagSet("images", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, usage); fs.PrintDefaults() }
	fs.StringVar(&o.root, "root", ".", "directory of the module that holds the programs")
	fs.StringVar(&o.out, "out", "dist/images", "directory to write into")
	fs.StringVar(&names, "programs", "", "programs, joined by commas; empty means all")
	fs.StringVar(&platforms, "platforms", "linux/amd64,linux/arm64", "platforms, joined by commas")
	fs.StringVar(&o.version, "version", "", "what the programs print for --version")
	fs.StringVar(&o.tag, "tag", "", "tag of the images")
	fs.StringVar(&o.repository, "repository", "ghcr.io/ess-operator", "what the names of images begin with")
	fs.StringVar(&o.source, "source", "https://github.com/ess-operator/ess-operator", "URL of the source, for a label")
	fs.StringVar(&o.revision, "revision", "", "commit, for a label")
	fs.StringVar(&created, "created", "", "seconds since 1970 that images are from: the time of the commit")
	fs.StringVar(&o.fips, "fips140", "", "version of the FIPS 140-3 module of Go, as GOFIPS140; empty means none")
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		fs.Usage()
		return o, flag.ErrHelp
	}
	o.command = args[0]
	if err := fs.Parse(args[1:]); err != nil {
		return o, err
	}
	return o.complete(names, platforms, created)
}

func (o options) complete(names, platforms, created string) (options, error) {
	if o.version == "" || o.tag == "" {
		return o, errors.New("-version and -tag are needed: run it by make image-archives")
	}
	if created == "" {
		return o, errors.New("-created is needed: without git, give make BUILD, REVISION and SOURCE_DATE_EPOCH, as docs/images.md says")
	}
	seconds, err := strconv.ParseInt(created, 10, 64)
	if err != nil {
		return o, fmt.Errorf("reading -created (set SOURCE_DATE_EPOCH to seconds since 1970): %w", err)
	}
	o.created = time.Unix(seconds, 0).UTC()
	if o.programs, err = choose(names); err != nil {
		return o, err
	}
	if o.platforms, err = parsePlatforms(platforms); err != nil {
		return o, err
	}
	if err := o.checkNames(); err != nil {
		return o, err
	}
	o.root, err = filepath.Abs(o.root)
	return o, err
}

// checkNames refuses names that no registry takes, before anything is compiled for them.
func (o options) checkNames() error {
	for _, p := range o.programs {
		if _, err := name.NewTag(o.repository + "/" + p.name + ":" + o.tag); err != nil {
			return fmt.Errorf("naming the image of %s (REPOSITORY is what names begin with, in lower case): %w", p.name, err)
		}
	}
	return nil
}

func parsePlatforms(list string) ([]v1.Platform, error) {
	var platforms []v1.Platform
	for text := range strings.SplitSeq(list, ",") {
		os, arch, _ := strings.Cut(text, "/")
		if os != "linux" || arch == "" || strings.Contains(arch, "/") {
			return nil, fmt.Errorf("platform %q is not like linux/amd64", text)
		}
		platform := v1.Platform{OS: os, Architecture: arch}
		if slices.ContainsFunc(platforms, platform.Equals) {
			return nil, fmt.Errorf("platform %q is there twice", text)
		}
		platforms = append(platforms, platform)
	}
	return platforms, nil
}
