package gobuild

import (
	"debug/buildinfo"
	"debug/elf"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// settings compiles a copy of the program in testdata, in a directory of its own.
func settings(t *testing.T) Settings {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/hello")); err != nil {
		t.Fatal(err)
	}
	return Settings{Root: dir, Version: "v0.0.0-test", OS: "linux", Arch: "amd64"}
}

func compile(t *testing.T, s Settings) *Binary {
	t.Helper()
	b, err := Compile(t.Context(), s, ".", filepath.Join(t.TempDir(), "hello"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCompileLeavesOutWhatDiffersBetweenMachines(t *testing.T) {
	first := content(t, compile(t, settings(t)).Path)
	for name, value := range map[string]string{
		"GOFLAGS":      "-buildvcs=true -ldflags=-X=main.x=y",
		"GOAMD64":      "v3",
		"GOEXPERIMENT": "nogreenteagc",
		"CGO_ENABLED":  "1",
		"GOFIPS140":    "latest",
		"GOWORK":       "/nowhere/go.work",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			if again := content(t, compile(t, settings(t)).Path); again != first {
				t.Errorf("in another directory and with %s=%s the program has other bytes", name, value)
			}
		})
	}
}

func TestCompileIsStatic(t *testing.T) {
	t.Parallel()
	for _, arch := range []string{"amd64", "arm64"} {
		t.Run(arch, func(t *testing.T) {
			t.Parallel()
			s := settings(t)
			s.Arch = arch
			file, err := elf.Open(compile(t, s).Path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = file.Close() })
			if want := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[arch]; file.Machine != want {
				t.Errorf("compiled for %v, want %v", file.Machine, want)
			}
			for _, p := range file.Progs {
				if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
					t.Errorf("it has a segment %v, so it needs a file that no image has", p.Type)
				}
			}
		})
	}
}

func TestCompileTellsWhatIsLinked(t *testing.T) {
	t.Parallel()
	s := settings(t)
	got := compile(t, s)
	want := &Binary{
		Path: got.Path, Main: "example.com/hello", Module: "example.com/hello", Dir: s.Root,
		Go: runtime.Version(), GoRoot: got.GoRoot,
		Packages: []Package{
			{ImportPath: "example.com/hello/greeting", Module: "example.com/hello", ModuleDir: s.Root, Dir: filepath.Join(s.Root, "greeting")},
			{ImportPath: "example.com/hello", Module: "example.com/hello", ModuleDir: s.Root, Dir: s.Root, Imports: []string{"example.com/hello/greeting", "fmt"}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what is linked (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(filepath.Join(got.GoRoot, "LICENSE")); err != nil {
		t.Errorf("the directory of Go is not where its licence is: %v", err)
	}
}

func TestCompileReportsWhatTheCompilerSays(t *testing.T) {
	t.Parallel()
	s := settings(t)
	if err := os.WriteFile(filepath.Join(s.Root, "broken.go"), []byte("package main\n\nvar x int = nothing\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Compile(t.Context(), s, ".", filepath.Join(t.TempDir(), "hello"))
	if err == nil || !strings.Contains(err.Error(), "broken.go:3") {
		t.Errorf("the error does not name the line: %v", err)
	}
}

func TestModuleDir(t *testing.T) {
	t.Parallel()
	dir, err := ModuleDir(t.Context(), ".", "github.com/google/go-cmp")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "cmp", "compare.go")); err != nil {
		t.Errorf("%s is not the source of the module: %v", dir, err)
	}
	if dir, err := ModuleDir(t.Context(), ".", "example.com/none"); err == nil {
		t.Errorf("a module that nobody requires is in %s", dir)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestCompileWithTheFIPSModule(t *testing.T) {
	t.Parallel()
	for fips, want := range map[string]string{"": "", "v1.0.0": "v1.0.0-c2097c7c"} {
		s := settings(t)
		s.FIPS140 = fips
		info, err := buildinfo.ReadFile(compile(t, s).Path)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, setting := range info.Settings {
			if setting.Key == "GOFIPS140" {
				got = setting.Value
			}
		}
		if got != want {
			t.Errorf("with FIPS140 %q the program has the module %q, want %q", fips, got, want)
		}
	}
}
