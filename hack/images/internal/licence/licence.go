// Package licence collects the licence texts of everything that is linked into a
// program.
//
// Many licences ask that their text goes wherever the program goes. [Collect] takes the
// texts at the top of every module, and those between there and each package that is
// linked: code that was taken over from others often has its own. A module without the
// text of a licence that we accept is an error, since we may not pass it on, or not so.
package licence

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/google/licensecheck"

	"github.com/ess-operator/ess-operator/hack/images/internal/gobuild"
)

// ErrNone says that a module has no text of a licence that we accept.
var ErrNone = errors.New("no text of a licence that is accepted")

// accepted are the licences that allow what we do, and ask for no more than that their
// text goes along. To take a module under another one is a decision.
var accepted = []string{"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"}

// Text is one file that has to be passed on.
type Text struct {
	Name   string   // below the directory of licences, such as go.uber.org/zap/LICENSE
	Module string   // path of the module; "std" for Go itself
	Data   []byte   // the file
	SPDX   []string // identifiers of the licences found in it, sorted; empty for a NOTICE
}

// Std stands for Go's runtime and standard library, as it does in lists of vulnerabilities.
const Std = "std"

var (
	// wanted matches the names of files that have to be passed on.
	wanted = regexp.MustCompile(`(?i)^(licen[cs]es?|copying|copyright|notice|patents)([-._].*)?$`)
	// grants matches those of them that allow something.
	grants = regexp.MustCompile(`(?i)^(licen[cs]es?|copying)([-._].*)?$`)
	code   = regexp.MustCompile(`(?i)\.(go|s|c|h|json|ya?ml)$`)
)

// Collect returns the texts of b, its own and Go's among them, sorted by name.
func Collect(b *gobuild.Binary) ([]Text, error) {
	texts := make(map[string]Text)
	dirs := map[string]source{b.GoRoot: {Std, b.GoRoot}, b.Dir: {b.Module, b.Dir}}
	for _, m := range b.Modules {
		dirs[m.Dir] = source{m.Path, m.Dir}
	}
	for _, p := range b.Packages {
		for dir := p.Dir; inside(dir, p.ModuleDir); dir = filepath.Dir(dir) {
			dirs[dir] = source{p.Module, p.ModuleDir}
		}
	}
	for dir, s := range dirs {
		if err := s.read(dir, texts); err != nil {
			return nil, err
		}
	}
	sorted := byName(texts)
	return sorted, errors.Join(missing(b, sorted)...)
}

// Module returns the texts at the top of one module that is not linked in but whose
// data is used.
func Module(path, dir string) ([]Text, error) {
	texts := make(map[string]Text)
	if err := (source{path, dir}).read(dir, texts); err != nil {
		return nil, err
	}
	sorted := byName(texts)
	if !granted(sorted, path) {
		return nil, fmt.Errorf("collecting licences: module %s in %s: %w", path, dir, ErrNone)
	}
	return sorted, nil
}

func byName(texts map[string]Text) []Text {
	return slices.SortedFunc(maps.Values(texts), func(x, y Text) int { return strings.Compare(x.Name, y.Name) })
}

// Expression returns the SPDX expression of all texts together.
func Expression(texts []Text) string {
	var ids []string
	for _, t := range texts {
		ids = append(ids, t.SPDX...)
	}
	slices.Sort(ids)
	return strings.Join(slices.Compact(ids), " AND ")
}

// source is what the files of a directory belong to.
type source struct{ module, dir string }

func (s source) read(dir string, texts map[string]Text) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("collecting licences of %s: %w", s.module, err)
	}
	below, err := filepath.Rel(s.dir, dir)
	if err != nil {
		return fmt.Errorf("collecting licences of %s: %w", s.module, err)
	}
	for _, e := range entries {
		if !isText(e) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return fmt.Errorf("collecting licences of %s: %w", s.module, err)
		}
		name := path.Join(s.module, filepath.ToSlash(below), e.Name())
		ids, err := identify(e.Name(), data)
		if err != nil {
			return fmt.Errorf("collecting licences of %s: %w", s.module, err)
		}
		texts[name] = Text{Name: name, Module: s.module, Data: data, SPDX: ids}
	}
	return nil
}

// scanner knows the accepted licences only: to learn all there are takes seconds.
var scanner = sync.OnceValues(func() (*licensecheck.Scanner, error) {
	known := slices.DeleteFunc(licensecheck.BuiltinLicenses(), func(l licensecheck.License) bool { return !slices.Contains(accepted, l.ID) || l.LRE == "" })
	return licensecheck.NewScanner(known)
})

func isText(e fs.DirEntry) bool {
	return e.Type().IsRegular() && wanted.MatchString(e.Name()) && !code.MatchString(e.Name())
}

// identify names the licences in a text that grants something.
func identify(name string, data []byte) ([]string, error) {
	if !grants.MatchString(name) {
		return nil, nil
	}
	known, err := scanner()
	if err != nil {
		return nil, fmt.Errorf("learning the accepted licences: %w", err)
	}
	var ids []string
	for _, m := range known.Scan(data).Match {
		ids = append(ids, m.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// missing returns an error for each module that has no text.
func missing(b *gobuild.Binary, texts []Text) []error {
	var errs []error
	for _, m := range b.Modules {
		if !granted(texts, m.Path) {
			errs = append(errs, fmt.Errorf("collecting licences: module %s %s in %s: %w", m.Path, m.Version, m.Dir, ErrNone))
		}
	}
	for _, path := range []string{Std, b.Module} {
		if !granted(texts, path) {
			errs = append(errs, fmt.Errorf("collecting licences: %s: %w", path, ErrNone))
		}
	}
	return errs
}

func granted(texts []Text, module string) bool {
	return slices.ContainsFunc(texts, func(t Text) bool { return t.Module == module && len(t.SPDX) > 0 })
}

func inside(dir, root string) bool {
	return dir == root || strings.HasPrefix(dir, root+string(filepath.Separator))
}
