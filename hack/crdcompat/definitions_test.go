package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/version"
)

// TestSnapshotIsOfNoLaterRelease: the tree cannot be compared with what comes after it.
func TestSnapshotIsOfNoLaterRelease(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../VERSION")
	if err != nil {
		t.Fatal(err)
	}
	this, err := version.ParseSemantic(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	last, err := newest(released)
	if err != nil {
		t.Fatal(err)
	}
	if this.LessThan(version.MustParseSemantic(filepath.Base(last))) {
		t.Errorf("the newest definitions that are kept are of %s, and this tree is only %s", filepath.Base(last), this)
	}
}

func TestNewest(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		names  []string
		want   string // empty: an error
	}{
		"Numbers":    {"10 is more than 9", []string{"v0.9.0", "v0.10.0", "v0.2.0"}, "v0.10.0"},
		"Candidates": {"a candidate comes before what it is one of", []string{"v1.0.0-rc.1", "v0.9.0"}, "v1.0.0-rc.1"},
		"NoVersion":  {"a misspelt release must not be skipped", []string{"v0.1.0", "0-2"}, ""},
		"None":       {"a comparison with nothing finds nothing", nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, name := range tt.names {
				if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			got, err := newest(dir)
			if tt.want == "" && err == nil || tt.want != "" && filepath.Base(got) != tt.want {
				t.Errorf("got %q, %v; want %q: %s", got, err, tt.want, tt.reason)
			}
		})
	}
}

func TestRunRefusesWhatItCannotCompare(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"One": {bases}, "NoDefinitions": {t.TempDir(), bases}, "NoneLeft": {bases, t.TempDir()}} {
		if broken, err := run(args); err == nil {
			t.Errorf("%s: found %q, want an error: nothing was compared", name, broken)
		}
	}
}
