package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// environment is that of this process, without what has git work on another clone than that of its directory, which
// is what hooks of git are given, and without a locale, of which the machine may have no definition: bash warns of that.
func environment(more ...string) []string {
	left := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "GIT_") || strings.HasPrefix(variable, "LC_") || strings.HasPrefix(variable, "LANG")
	})
	return append(left, more...)
}

// writeProgram writes a file that can be run at once. No process may be started meanwhile: it would hold the file open
// for writing until it is another program, and nobody can run a file that somebody writes (ETXTBSY).
func writeProgram(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	syscall.ForkLock.RLock()
	err := os.WriteFile(path, data, 0o700)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
}

// TestProgramsCanBeRunAtOnce writes and runs as many at once as tests do that are parallel.
func TestProgramsCanBeRunAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range strings.Split("abcdefgh", "") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 50 {
				path := filepath.Join(dir, name)
				_ = os.Remove(path) // of the round before
				writeProgram(t, path, []byte("#!/bin/sh\n"))
				if err := exec.CommandContext(t.Context(), path).Run(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestOthersClonesAreLeftAlone makes a clone as tests do, in the environment of a hook of another one.
func TestOthersClonesAreLeftAlone(t *testing.T) {
	other := t.TempDir()
	t.Setenv("GIT_DIR", filepath.Join(other, ".git"))
	t.Setenv("LC_ALL", "xx_XX.UTF-8")
	do := clone(t, nil)
	if got := must(t, do, "git rev-list --count HEAD"); got != "1" {
		t.Errorf("the clone has %s commits, want one", got)
	}
	if left, err := os.ReadDir(other); err != nil || len(left) > 0 {
		t.Errorf("the clone that the environment names holds %v (%v)", left, err)
	}
}
