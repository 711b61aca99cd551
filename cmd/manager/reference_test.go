package main

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// column reads the tables of a page of the reference: the second cell of each
// row by the name in backquotes in its first.
func column(t *testing.T, page string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../docs/reference", page))
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.*?) \\|")
	cells := map[string]string{}
	for _, match := range row.FindAllStringSubmatch(string(text), -1) {
		cells[match[1]] = match[2]
	}
	return cells
}

func TestReferenceListsTheFlags(t *testing.T) {
	t.Parallel()
	flags := newFlags()
	if _, err := parse(flags, nil); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	flags.VisitAll(func(f *flag.Flag) {
		want["--"+f.Name] = "–"
		if f.DefValue != "" {
			want["--"+f.Name] = "`" + f.DefValue + "`"
		}
	})
	if diff := cmp.Diff(want, column(t, "manager.md")); diff != "" {
		t.Errorf("flags and their defaults, and the table in docs/reference/manager.md (-flags +page):\n%s", diff)
	}
}

func TestReferenceListsTheMetrics(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../controllers/internal/telemetry/*.go")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`"(ess_operator_[a-z_]+)"`)
	var want []string
	for _, file := range append(files, "build.go") {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range name.FindAllStringSubmatch(string(text), -1) {
			want = append(want, match[1])
		}
	}
	if len(want) == 0 {
		t.Fatal("the operator names no metrics where this test looks for them")
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(column(t, "metrics.md")))); diff != "" {
		t.Errorf("metrics of the code and of docs/reference/metrics.md (-code +page):\n%s", diff)
	}
}
