package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// matching returns the files of the tree that a pattern matches, at least one.
func matching(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../..", pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s matches no file: %v", pattern, err)
	}
	return files
}

// TestActionsArePinned wants each action by its commit, as a tag can be moved, and the
// tag in a comment, for people and for dependabot.
func TestActionsArePinned(t *testing.T) {
	t.Parallel()
	pinned := regexp.MustCompile(`^[\w-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	uses := regexp.MustCompile(`(?m)^\s*(?:- )?uses:\s*(.*)$`)
	for _, file := range matching(t, ".github/workflows/*.y*ml") {
		found := uses.FindAllStringSubmatch(string(read(t, file)), -1)
		if len(found) == 0 {
			t.Errorf("%s uses no action, or none that this test can see", file)
		}
		for _, m := range found {
			if !pinned.MatchString(m[1]) {
				t.Errorf("%s uses %q, which is not like owner/action@<40 hex digits> # v1.2.3", file, m[1])
			}
		}
	}
}

// TestToolsArePinned wants each tool to be a module whose go.mod names the version of what
// is built, and whose go.sum says what that version is.
func TestToolsArePinned(t *testing.T) {
	t.Parallel()
	tool := regexp.MustCompile(`(?m)^tool (\S+)$`)
	version := regexp.MustCompile(`(?m)^(?:require )?\s*(\S+) v\d+\.\d+\.\d+\S*`)
	for _, file := range matching(t, "hack/tools/*/go.mod") {
		text := string(read(t, file))
		sums, err := os.ReadFile(filepath.Join(filepath.Dir(file), "go.sum"))
		if err != nil || len(sums) == 0 {
			t.Errorf("%s has no checksums beside it: %v", file, err)
		}
		if strings.Contains(text, "\nreplace ") {
			t.Errorf("%s replaces a module", file)
		}
		var modules []string
		for _, m := range version.FindAllStringSubmatch(text, -1) {
			modules = append(modules, m[1])
		}
		for _, m := range tool.FindAllStringSubmatch(text, -1) {
			within := func(module string) bool { return m[1] == module || strings.HasPrefix(m[1], module+"/") }
			if !slices.ContainsFunc(modules, within) {
				t.Errorf("%s builds %s, of which it requires no version", file, m[1])
			}
		}
		if len(modules) == 0 {
			t.Errorf("%s requires nothing", file)
		}
	}
}

// TestNothingIsLatest looks for what takes whatever version there is today.
func TestNothingIsLatest(t *testing.T) {
	t.Parallel()
	floating := regexp.MustCompile(`@(latest|master|main)\b|:latest\b`)
	var files []string
	for _, pattern := range []string{"Makefile", "Containerfile", "hack/*.sh", "hack/*/*.sh", ".ci/*", ".github/workflows/*"} {
		files = append(files, matching(t, pattern)...)
	}
	for _, file := range files {
		for line := range strings.Lines(string(read(t, file))) {
			if floating.MatchString(line) {
				t.Errorf("%s takes whatever version there is: %s", file, strings.TrimSpace(line))
			}
		}
	}
}

// TestOneReleaseOfGo wants everything that is released to be compiled by one: another
// would give other bytes.
func TestOneReleaseOfGo(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile(`(?m)(?:golang:|go-version: )(\d+\.\d+\.\d+)\b`)
	found := make(map[string][]string)
	for _, file := range append(matching(t, ".github/workflows/*"), matching(t, "Containerfile")...) {
		for _, m := range named.FindAllStringSubmatch(string(read(t, file)), -1) {
			found[m[1]] = append(found[m[1]], file)
		}
	}
	if len(found) != 1 {
		t.Errorf("releases of Go by the files that name them: %v; want one", found)
	}
}
