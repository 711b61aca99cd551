package sbom

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/hack/images/internal/gobuild"
	"github.com/ess-operator/ess-operator/hack/images/internal/licence"
)

var update = flag.Bool("update", false, "write the golden file")

var (
	subject = Subject{
		Name: "program", Version: "v0.1.0+1a2b3c4d5e6f", About: "Does things", Source: "https://example.com/source",
		Created: time.Date(2026, time.November, 22, 3, 0, 0, 0, time.FixedZone("", 3600)),
	}
	texts = []licence.Text{
		{Module: "example.com/a", SPDX: []string{"MIT"}},
		{Module: "example.com/a", SPDX: []string{"BSD-3-Clause", "MIT"}},
		{Module: "example.com/b", SPDX: []string{"Apache-2.0"}},
		{Module: "example.com/main", SPDX: []string{"Apache-2.0"}},
		{Module: licence.Std, SPDX: []string{"BSD-3-Clause"}},
	}
)

// binary is a program that uses module a, which uses module b.
func binary(t *testing.T) *gobuild.Binary {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("program"), 0o600); err != nil {
		t.Fatal(err)
	}
	return &gobuild.Binary{
		Path: path, Main: "example.com/main/cmd/program", Module: "example.com/main", Go: "go1.26.8",
		Modules: []gobuild.Module{
			{Path: "example.com/a", Version: "v1.0.0+incompatible", Sum: "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
			{Path: "example.com/b", Version: "v0.2.0", Sum: "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
		},
		Packages: []gobuild.Package{
			{ImportPath: "example.com/main/cmd/program", Module: "example.com/main", Imports: []string{"fmt", "example.com/a", "example.com/main/part"}},
			{ImportPath: "example.com/main/part", Module: "example.com/main", Imports: []string{"example.com/a/sub"}},
			{ImportPath: "example.com/a", Module: "example.com/a", Imports: []string{"example.com/a/sub", "os"}},
			{ImportPath: "example.com/a/sub", Module: "example.com/a", Imports: []string{"example.com/b"}},
			{ImportPath: "example.com/b", Module: "example.com/b"},
		},
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	const golden = "testdata/program.cdx.json"
	var b bytes.Buffer
	if err := Write(&b, subject, binary(t), texts); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("bill of materials (-want +got); -update writes it anew:\n%s", diff)
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(&b, cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Errorf("readers of the format cannot read it: %v", err)
	}
}

// TestGraphIsClosed follows every reference: one that leads nowhere is refused by readers.
func TestGraphIsClosed(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := Write(&b, subject, binary(t), texts); err != nil {
		t.Fatal(err)
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(&b, cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{bom.Metadata.Component.BOMRef: true}
	for _, c := range *bom.Components {
		known[c.BOMRef] = true
	}
	for _, d := range *bom.Dependencies {
		if !known[d.Ref] {
			t.Errorf("%s is not in the list", d.Ref)
		}
		delete(known, d.Ref)
	}
	for ref := range known {
		t.Errorf("%s is not in the graph", ref)
	}
}

func TestWriteRefusesAModuleWithoutChecksum(t *testing.T) {
	t.Parallel()
	b := binary(t)
	b.Modules[1].Sum = ""
	err := Write(&bytes.Buffer{}, subject, b, texts)
	if err == nil || !strings.Contains(err.Error(), "example.com/b") {
		t.Errorf("Write() gives the error %v", err)
	}
}
