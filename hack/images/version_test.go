package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// clone is a repository with one commit and the script that tells versions.
func clone(t *testing.T) func(command string) string {
	t.Helper()
	dir := t.TempDir()
	script, err := os.ReadFile("../version.sh")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "hack"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{"VERSION": "v0.1.0\n", "hack/version.sh": string(script)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	do := func(command string) string {
		c := exec.CommandContext(t.Context(), "bash", "-euc", command)
		c.Dir = dir
		c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", command, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	do("git init -q && git add . && git commit -q -m one")
	return do
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
			do := clone(t)
			do(tc.before)
			script := "hack/version.sh"
			if name == "OthersClone" {
				script = "deep/" + script
			}
			if got := do(script); !regexp.MustCompile(tc.want).MatchString(got) {
				t.Errorf("%s\nhack/version.sh prints %q, want %s", tc.reason, got, tc.want)
			}
		})
	}
}
