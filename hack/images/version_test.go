package main

import (
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// clone is a repository with one commit, of these files and the script that tells versions.
func clone(t *testing.T, files map[string]string) func(command string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{"VERSION": "v0.1.0\n", "hack/version.sh": string(read(t, "../version.sh"))}
	maps.Copy(all, files)
	for name, data := range all {
		writeProgram(t, filepath.Join(dir, name), []byte(data))
	}
	do := func(command string) (string, error) {
		c := exec.CommandContext(t.Context(), "bash", "-euc", command)
		c.Dir = dir
		c.Env = environment("GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
		out, err := c.CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	must(t, do, "git init -q && git add . && git commit -q -m one")
	return do
}

// must runs a command in a clone, and returns what it prints.
func must(t *testing.T, do func(string) (string, error), command string) string {
	t.Helper()
	out, err := do(command)
	if err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
	return out
}

func TestVersionScript(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ reason, before, want string }{
		"Tagged":      {"A release is called by its tag alone.", "git tag v0.1.0", `^v0\.1\.0$`},
		"Commit":      {"What is no release names the commit.", "true", `^v0\.1\.0\+[0-9a-f]{12}$`},
		"OtherTag":    {"A tag that is not the version says nothing about it.", "git tag v0.1.1", `^v0\.1\.0\+[0-9a-f]{12}$`},
		"Changed":     {"A commit must not stand for code that it does not hold.", "git tag v0.1.0; echo >>hack/version.sh", `^v0\.1\.0\+[0-9a-f]{12}\.dirty$`},
		"Added":       {"A file that git does not know is compiled as well.", "echo package main >added.go", `^v0\.1\.0\+[0-9a-f]{12}\.dirty$`},
		"Later":       {"A release ends with the next commit.", "git tag v0.1.0; git commit -q --allow-empty -m two", `^v0\.1\.0\+[0-9a-f]{12}$`},
		"NoClone":     {"An archive of the source does not know its commit.", "rm -rf .git", `^v0\.1\.0\+unknown$`},
		"OthersClone": {"A copy within somebody's clone is not at their commit.", "mkdir deep && cp -r hack VERSION deep", `^v0\.1\.0\+unknown$`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			do := clone(t, nil)
			must(t, do, tc.before)
			script := "hack/version.sh"
			if name == "OthersClone" {
				script = "deep/" + script
			}
			if got := must(t, do, script); !regexp.MustCompile(tc.want).MatchString(got) {
				t.Errorf("%s\nhack/version.sh prints %q, want %s", tc.reason, got, tc.want)
			}
		})
	}
}

func TestVersionScriptTellsCommitAndTime(t *testing.T) {
	t.Parallel()
	do := clone(t, nil)
	commit, at := must(t, do, "git rev-parse HEAD"), must(t, do, "git log -1 --format=%ct")
	must(t, do, "mkdir deep && cp -r hack VERSION deep")
	for command, want := range map[string]string{
		"hack/version.sh commit": commit, "hack/version.sh time": at,
		"deep/hack/version.sh commit": "", "deep/hack/version.sh time": "", // it is none of somebody else's clone
	} {
		if got := must(t, do, command); got != want {
			t.Errorf("%s prints %q, want %q", command, got, want)
		}
	}
}
