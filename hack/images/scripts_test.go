package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheTreeMayBeWhereNamesHaveSpaces runs make where $(CURDIR) has some, with a go that
// tells its arguments, one in a line.
func TestTheTreeMayBeWhereNamesHaveSpaces(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a tree")
	for name, data := range map[string]string{
		"Makefile": string(read(t, "../../Makefile")), "hack/version.sh": string(read(t, "../version.sh")), "VERSION": "v0.1.0\n",
		"path/go": "#!/bin/sh\nprintf '%s\\n' \"$@\"\n",
	} {
		writeProgram(t, filepath.Join(dir, name), []byte(data))
	}
	make := exec.CommandContext(t.Context(), "make", "images")
	make.Dir = dir
	make.Env = environment("PATH="+filepath.Join(dir, "path")+string(filepath.ListSeparator)+os.Getenv("PATH"), "MAKEFLAGS=")
	out, err := make.CombinedOutput()
	if want := "\n-o\n" + filepath.Join(dir, "bin/images") + "\n.\n"; err != nil || !strings.Contains(string(out), want) {
		t.Errorf("make images calls go, one argument in a line, with\n%s\n(%v), want among it %q", out, err, want)
	}
}

func TestSummaryOfTests(t *testing.T) {
	t.Parallel()
	const ok = "ok  \tgithub.com/ess-operator/ess-operator/a\t0.1s\n"
	cases := map[string]struct {
		reason, out string
		want        string // the last line
		fails       bool
	}{
		"Passed":   {"the numbers are of all packages", "--- PASS: A\n" + ok + "--- PASS: B\n" + ok, "test: 2 tests in 2 packages; all passed", false},
		"Failed":   {"go test tells by its status as well", "--- FAIL: A\nFAIL\tb\t0.1s\n", "test: 1 test in 1 package; 1 package failed", false},
		"NoCode":   {"a package that does not compile has no test that failed", "FAIL\tb [build failed]\n", "test: 0 tests in 1 package; 1 package failed", false},
		"Skipped":  {"a test that is skipped says why", "--- SKIP: A\n" + ok, "test: 0 tests in 1 package, 1 skipped; all passed", false},
		"NoneRan":  {"a misspelt name must not pass for all being well", ok, "test: no test ran: see whether PKG and ARGS name any", true},
		"NoTests":  {"nor must a package without tests", "?   \tb\t[no test files]\n", "test: no test ran: see whether PKG and ARGS name any", true},
		"Nothing":  {"nor must silence", "", "test: no test ran: see whether PKG and ARGS name any", true},
		"Subtests": {"each counts", "--- PASS: A\n    --- PASS: A/b\n" + ok, "test: 2 tests in 1 package; all passed", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			awk := exec.CommandContext(t.Context(), "awk", "-f", "../test.awk")
			awk.Stdin = strings.NewReader(tc.out)
			out, err := awk.Output()
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			if got := lines[len(lines)-1]; got != tc.want || (err != nil) != tc.fails {
				t.Errorf("%s\nit ends with %q (%v), want %q", tc.reason, got, err, tc.want)
			}
		})
	}
}
