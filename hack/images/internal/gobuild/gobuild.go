// Package gobuild compiles a program so that the same source always gives the same
// bytes, and tells what was linked into it.
//
// [Compile] leaves out all that differs between machines: C code, paths, the state of
// the clone, the build id, and settings of the caller's environment that change the
// code. What remains is the source, the version that is linked in, the platform and the
// Go release. Caches and proxies of the environment are used as they are.
package gobuild

import (
	"bytes"
	"cmp"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Settings say how to compile.
type Settings struct {
	Root    string // directory of the module that holds the program
	Version string // what the program prints for --version
	OS      string // as GOOS
	Arch    string // as GOARCH
	FIPS140 string // as GOFIPS140; empty means off
}

// Binary is a program that was compiled, and what it is made of.
type Binary struct {
	Path     string // of the file
	Main     string // import path of the program's main package
	Module   string // path of the main module
	Dir      string // of the main module
	Go       string // release of Go, such as go1.26.8
	GoRoot   string // directory of that release
	Modules  []Module
	Packages []Package
}

// Module is one that some package of the program is from; the main module is not
// among them.
type Module struct {
	Path    string
	Version string
	Sum     string // h1 checksum, as in go.sum
	Dir     string // where its source is
}

// Package is one that is linked in and is not of the standard library.
type Package struct {
	ImportPath string
	Dir        string
	Module     string // path of its module
	ModuleDir  string
	Imports    []string // import paths, those of the standard library among them
}

// versionVariable is what the linker sets.
const versionVariable = "github.com/ess-operator/ess-operator/internal/version.Version"

// Compile builds the main package, such as ./cmd/manager, into the file out.
func Compile(ctx context.Context, s Settings, main, out string) (*Binary, error) {
	out, err := filepath.Abs(out)
	if err != nil {
		return nil, fmt.Errorf("compiling %s: %w", main, err)
	}
	ldflags := "-s -w -buildid= -X " + versionVariable + "=" + s.Version
	if _, err := s.run(ctx, "build", "-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-o", out, main); err != nil {
		return nil, fmt.Errorf("compiling %s for %s/%s: %w", main, s.OS, s.Arch, err)
	}
	b, err := List(ctx, s, main)
	if err != nil {
		return nil, err
	}
	b.Path = out
	if err := b.readInfo(); err != nil {
		return nil, fmt.Errorf("reading what %s says that it is made of: %w", main, err)
	}
	return b, nil
}

// List tells what a program would be made of, without compiling it: it has no path, no
// release of Go, and its modules have no checksums.
func List(ctx context.Context, s Settings, main string) (*Binary, error) {
	b := new(Binary)
	if err := b.readList(ctx, s, main); err != nil {
		return nil, fmt.Errorf("listing what %s is made of: %w", main, err)
	}
	return b, nil
}

// ModuleDir returns the directory of the source of a module that the one in dir requires.
func ModuleDir(ctx context.Context, dir, module string) (string, error) {
	out, err := Settings{Root: dir}.run(ctx, "list", "-m", "-f", "{{.Dir}}", module)
	if err != nil {
		return "", fmt.Errorf("finding the source of %s: %w", module, err)
	}
	found := strings.TrimSpace(string(out))
	if found == "" {
		return "", fmt.Errorf("finding the source of %s: it was not downloaded", module)
	}
	return found, nil
}

// run runs the go command in the root of the module and returns its standard output.
func (s Settings) run(ctx context.Context, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = s.Root
	command.Env = s.environment()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("running go %s: %w\n%s", args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.Bytes(), nil
}

// environment is the caller's, with every setting that changes the code pinned. Later
// entries win.
func (s Settings) environment() []string {
	return append(os.Environ(),
		"CGO_ENABLED=0", "GOOS="+s.OS, "GOARCH="+s.Arch, "GOAMD64=v1", "GOARM64=v8.0",
		"GOFLAGS=-mod=readonly", "GOWORK=off", "GOEXPERIMENT=", "GODEBUG=",
		"GOFIPS140="+cmp.Or(s.FIPS140, "off"))
}

// readList fills in packages, and the modules with their directories.
func (b *Binary) readList(ctx context.Context, s Settings, main string) error {
	out, err := s.run(ctx, "list", "-deps", "-json=ImportPath,Dir,Standard,DepOnly,Imports,Module", main)
	if err != nil {
		return err
	}
	modules := make(map[string]Module)
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		switch err := d.Decode(&p); {
		case errors.Is(err, io.EOF):
			b.sortModules(modules)
			return b.readGoRoot(ctx, s)
		case err != nil:
			return fmt.Errorf("decoding the answer of go list: %w", err)
		}
		b.add(p, modules)
	}
}

// listed is what go list says of a package.
type listed struct {
	ImportPath, Dir   string
	Standard, DepOnly bool
	Imports           []string
	Module            *struct {
		Path, Version, Dir string
		Main               bool
		Replace            *struct{ Version, Dir string }
	}
}

func (b *Binary) add(p listed, modules map[string]Module) {
	if p.Standard || p.Module == nil {
		return
	}
	m := Module{Path: p.Module.Path, Version: p.Module.Version, Dir: p.Module.Dir}
	if r := p.Module.Replace; r != nil {
		m.Version, m.Dir = r.Version, r.Dir
	}
	b.Packages = append(b.Packages, Package{p.ImportPath, p.Dir, m.Path, m.Dir, p.Imports})
	if !p.DepOnly {
		b.Main = p.ImportPath
	}
	if p.Module.Main {
		b.Module, b.Dir = m.Path, m.Dir
		return
	}
	modules[m.Path] = m
}

func (b *Binary) sortModules(modules map[string]Module) {
	for _, m := range modules {
		b.Modules = append(b.Modules, m)
	}
	slices.SortFunc(b.Modules, func(x, y Module) int { return strings.Compare(x.Path, y.Path) })
}

func (b *Binary) readGoRoot(ctx context.Context, s Settings) error {
	out, err := s.run(ctx, "env", "GOROOT")
	b.GoRoot = strings.TrimSpace(string(out))
	return err
}

// readInfo reads the release of Go out of the program, and holds what the program says
// that it was linked from against what go list said: a licence or a line of the bill of
// materials must not be missing because the two disagree.
func (b *Binary) readInfo() error {
	info, err := buildinfo.ReadFile(b.Path)
	if err != nil {
		return err
	}
	b.Go = info.GoVersion
	sums := make(map[string]string, len(info.Deps))
	for _, d := range info.Deps {
		sums[d.Path] = d.Sum
		if d.Replace != nil {
			sums[d.Path] = d.Replace.Sum
		}
	}
	for i, m := range b.Modules {
		sum, ok := sums[m.Path]
		if !ok {
			return fmt.Errorf("go list names module %s, which it does not hold", m.Path)
		}
		b.Modules[i].Sum = sum
		delete(sums, m.Path)
	}
	for path := range sums {
		return fmt.Errorf("it holds module %s, which go list does not name", path)
	}
	return nil
}
