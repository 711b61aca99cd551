// Package sbom writes what a program is made of, as a CycloneDX bill of materials.
//
// It lists Go itself and every module that is linked in: version, checksum, licences,
// and which module needs which. The list is read from the program and from the packages
// that it was compiled from, so that modules which are only in go.mod are not in it. It
// has no serial number, and its time is that of the commit: the same program gives the
// same bytes.
package sbom

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/ess-operator/ess-operator/hack/images/internal/gobuild"
	"github.com/ess-operator/ess-operator/hack/images/internal/licence"
)

// Subject is the program that the list is about.
type Subject struct {
	Name    string // of the program
	Version string // what it prints for --version
	About   string // one sentence
	Source  string // URL of the repository
	Created time.Time
}

// Write writes the bill of materials of b as JSON.
func Write(w io.Writer, s Subject, b *gobuild.Binary, texts []licence.Text) error {
	program, err := s.component(b, texts)
	if err != nil {
		return fmt.Errorf("listing what %s is made of: %w", s.Name, err)
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{
		Timestamp:  s.Created.UTC().Format(time.RFC3339),
		Lifecycles: &[]cdx.Lifecycle{{Phase: cdx.LifecyclePhaseBuild}},
		Component:  program,
	}
	components := []cdx.Component{goItself(b, texts)}
	for _, m := range b.Modules {
		c, err := component(m, texts)
		if err != nil {
			return fmt.Errorf("listing what %s is made of: %w", s.Name, err)
		}
		components = append(components, c)
	}
	bom.Components = &components
	bom.Dependencies = dependencies(b, program.BOMRef)
	encoder := cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(true)
	if err := encoder.EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		return fmt.Errorf("writing what %s is made of: %w", s.Name, err)
	}
	return nil
}

// component is the program itself.
func (s Subject) component(b *gobuild.Binary, texts []licence.Text) (*cdx.Component, error) {
	file, err := os.Open(b.Path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return nil, err
	}
	url := "pkg:golang/" + b.Module + "@" + escape(s.Version) + "?type=module#" + strings.TrimPrefix(b.Main, b.Module+"/")
	return &cdx.Component{
		BOMRef:             url,
		Type:               cdx.ComponentTypeApplication,
		Name:               s.Name,
		Version:            s.Version,
		Description:        s.About,
		Hashes:             &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(hash.Sum(nil))}},
		Licenses:           licences(b.Module, texts),
		PackageURL:         url,
		ExternalReferences: &[]cdx.ExternalReference{{Type: cdx.ERTypeVCS, URL: s.Source}},
	}, nil
}

func goItself(b *gobuild.Binary, texts []licence.Text) cdx.Component {
	return cdx.Component{
		BOMRef: reference(licence.Std, b), Type: cdx.ComponentTypeLibrary, Name: licence.Std, Version: b.Go,
		Description: "runtime and standard library of Go", Scope: cdx.ScopeRequired,
		Licenses: licences(licence.Std, texts), PackageURL: reference(licence.Std, b),
	}
}

func component(m gobuild.Module, texts []licence.Text) (cdx.Component, error) {
	c := cdx.Component{
		BOMRef: packageURL(m), Type: cdx.ComponentTypeLibrary, Name: m.Path, Version: m.Version,
		Scope: cdx.ScopeRequired, Licenses: licences(m.Path, texts), PackageURL: packageURL(m),
	}
	sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.Sum, "h1:"))
	if err != nil || len(sum) != sha256.Size {
		return c, fmt.Errorf("module %s has the checksum %q, which is none", m.Path, m.Sum)
	}
	c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}}
	return c, nil
}

func licences(module string, texts []licence.Text) *cdx.Licenses {
	var own []licence.Text
	for _, t := range texts {
		if t.Module == module {
			own = append(own, t)
		}
	}
	return &cdx.Licenses{{Expression: licence.Expression(own)}}
}

func packageURL(m gobuild.Module) string {
	return "pkg:golang/" + m.Path + "@" + escape(m.Version) + "?type=module"
}

// escape writes a version as package URLs want it, where a plus is a space.
func escape(version string) string { return strings.ReplaceAll(version, "+", "%2B") }

// reference names a module, Go or the program's own in the graph.
func reference(module string, b *gobuild.Binary) string {
	if module == licence.Std {
		return "pkg:golang/" + licence.Std + "@" + strings.TrimPrefix(b.Go, "go")
	}
	i := slices.IndexFunc(b.Modules, func(m gobuild.Module) bool { return m.Path == module })
	return packageURL(b.Modules[i])
}

// dependencies says which module imports packages of which.
func dependencies(b *gobuild.Binary, program string) *[]cdx.Dependency {
	home := make(map[string]string, len(b.Packages))
	for _, p := range b.Packages {
		home[p.ImportPath] = program
		if p.Module != b.Module {
			home[p.ImportPath] = reference(p.Module, b)
		}
	}
	std := reference(licence.Std, b)
	needs := map[string]map[string]bool{std: {}}
	for _, p := range b.Packages {
		from := home[p.ImportPath]
		if needs[from] == nil {
			needs[from] = make(map[string]bool)
		}
		for _, i := range p.Imports {
			to, ok := home[i]
			if !ok {
				to = std
			}
			if to != from {
				needs[from][to] = true
			}
		}
	}
	var all []cdx.Dependency
	for _, from := range slices.Sorted(maps.Keys(needs)) {
		to := slices.Sorted(maps.Keys(needs[from]))
		all = append(all, cdx.Dependency{Ref: from, Dependencies: &to})
	}
	return &all
}
