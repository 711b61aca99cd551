package main

import (
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/ess-operator/ess-operator/hack/images/internal/gobuild"
	"github.com/ess-operator/ess-operator/hack/images/internal/image"
	"github.com/ess-operator/ess-operator/hack/images/internal/licence"
)

// stages are the instructions of Containerfile by the name of their stage, one per line.
func stages(t *testing.T) map[string][]string {
	t.Helper()
	text := strings.ReplaceAll(string(read(t, "../../Containerfile")), "\\\n", " ")
	all := make(map[string][]string)
	name := ""
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		if fields[0] == "FROM" {
			name = fields[len(fields)-1]
		}
		all[name] = append(all[name], strings.Join(fields, " "))
	}
	return all
}

// labels reads LABEL instructions.
func labels(lines []string) map[string]string {
	all := make(map[string]string)
	pair := regexp.MustCompile(`(org\.opencontainers\.image\.\w+)=("([^"]*)"|\S+)`)
	for _, line := range lines {
		if rest, ok := strings.CutPrefix(line, "LABEL "); ok {
			for _, m := range pair.FindAllStringSubmatch(rest, -1) {
				all[m[1]] = strings.Trim(m[2], `"`)
			}
		}
	}
	return all
}

// TestContainerfileMakesTheSameImage holds what a builder of containers sets against what
// the archives have; the files in both come from the same code.
func TestContainerfileMakesTheSameImage(t *testing.T) {
	t.Parallel()
	made, err := image.New(image.Config{Entrypoint: "/x", Platform: v1.Platform{OS: "linux"}, Created: time.Unix(0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	file, err := made.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	all := stages(t)
	want := []string{"USER " + file.Config.User, "WORKDIR " + file.Config.WorkingDir, "ENV " + strings.Join(file.Config.Env, " ")}
	for _, line := range want {
		if !slices.Contains(all["common"], line) {
			t.Errorf("Containerfile has no %q in the stage common", line)
		}
	}
	if !strings.Contains(strings.Join(all[""], "\n"), "golang:"+strings.TrimPrefix(runtime.Version(), "go")) {
		t.Logf("Containerfile pins another release of Go than %s, which runs this test", runtime.Version())
	}
	for _, p := range programs {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			lines := all[p.name]
			if !slices.Contains(lines, `ENTRYPOINT ["/`+p.name+`"]`) || !slices.Contains(lines, "FROM common AS "+p.name) {
				t.Errorf("Containerfile does not start /%s in a stage of that name: %q", p.name, lines)
			}
			want := options{version: "$BUILD", revision: "$REVISION", source: "$SOURCE"}.annotations(p)
			want["org.opencontainers.image.created"] = "$CREATED"
			want["org.opencontainers.image.licenses"] = expression(t, p)
			if diff := cmp.Diff(want, labels(append(lines, all["common"]...))); diff != "" {
				t.Errorf("labels (-archives +Containerfile):\n%s", diff)
			}
		})
	}
}

// expression is what the licences of a program's image come to.
func expression(t *testing.T, p program) string {
	t.Helper()
	b, err := gobuild.List(t.Context(), gobuild.Settings{Root: "../..", OS: "linux", Arch: "amd64"}, p.main)
	if err != nil {
		t.Fatal(err)
	}
	texts, err := licence.Collect(b)
	if err != nil {
		t.Fatal(err)
	}
	roots, err := options{root: "../.."}.rootsLicence(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return licence.Expression(append(texts, roots...))
}

// TestEveryImageIsPinned holds whatever is built upon to a version.
func TestEveryImageIsPinned(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("../../.dockerignore"); err != nil {
		t.Errorf("without .dockerignore the clone's history becomes part of what is built: %v", err)
	}
	pinned := regexp.MustCompile(`^ARG GO_IMAGE=docker\.io/library/golang:\d+\.\d+\.\d+$`)
	if !slices.ContainsFunc(stages(t)[""], pinned.MatchString) {
		t.Errorf("Containerfile does not begin with a pinned release of Go: %q", stages(t)[""])
	}
}

// TestKeysStayOutside is for the keys that make trial-keys and the emulator write into the
// clone: git must not commit them, and a builder must not keep them in its cache.
func TestKeysStayOutside(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"../../.gitignore", "../../.dockerignore"} {
		lines := strings.Split(strings.TrimSpace(string(read(t, file))), "\n")
		for _, dir := range []string{"config/emulator/keys", ".ess-emulator"} {
			if !slices.Contains(lines, dir) && !slices.Contains(lines, "/"+dir) {
				t.Errorf("%s does not name %s, where private keys are", file, dir)
			}
		}
	}
}
