package argocd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// repository is a git repository and the working copy that somebody pushes from.
type repository struct {
	t    *testing.T
	work string
	url  string
}

func newRepository(t *testing.T) *repository {
	t.Helper()
	bare := filepath.Join(suite.argo.dir, "git", "platform.git")
	r := &repository{t: t, work: t.TempDir(), url: "file://" + bare}
	r.git("init", "-q", "--bare", "-b", "main", bare)
	r.git("init", "-q", "-b", "main", ".")
	r.git("remote", "add", "origin", bare)
	return r
}

func (r *repository) git(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"}, args...)...)
	cmd.Dir = r.work
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// copy takes a directory of the project into the repository.
func (r *repository) copy(from, to string) {
	r.t.Helper()
	if err := os.CopyFS(filepath.Join(r.work, to), os.DirFS(from)); err != nil {
		r.t.Fatal(err)
	}
}

// on is the same repository for a part of the story.
func (r *repository) on(t *testing.T) *repository { return &repository{t: t, work: r.work, url: r.url} }

// read reads a file.
func (r *repository) read(path string) string {
	r.t.Helper()
	content, err := os.ReadFile(filepath.Join(r.work, path))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(content)
}

// write writes a file.
func (r *repository) write(path, text string) {
	r.t.Helper()
	path = filepath.Join(r.work, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// replace changes the one place in a file that holds a text.
func (r *repository) replace(path, old, text string) {
	r.t.Helper()
	content := r.read(path)
	if n := strings.Count(content, old); n != 1 {
		r.t.Fatalf("%s holds %q %d times:\n%s", path, old, n, content)
	}
	r.write(path, strings.Replace(content, old, text, 1))
}

// push commits and pushes everything, and returns the revision.
func (r *repository) push(message string) string {
	r.t.Helper()
	r.git("add", "--all")
	r.git("commit", "-q", "-m", message)
	r.git("push", "-q", "origin", "main")
	return r.git("rev-parse", "HEAD")
}

// undo pushes a commit that takes the last one back.
func (r *repository) undo() string {
	r.t.Helper()
	r.git("revert", "--no-edit", "HEAD")
	r.git("push", "-q", "origin", "main")
	return r.git("rev-parse", "HEAD")
}
