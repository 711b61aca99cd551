package main

import (
	"strings"
	"testing"
)

// releasable are files of a tree from which v0.1.0 can be released.
func releasable(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{
		"hack/releasable.sh":                string(read(t, "../releasable.sh")),
		"hack/e2e/previous.sh":              "ref=${E2E_PREVIOUS:-a18d69f}\n",
		"config/crd/bases/a.yaml":           "kind: A\n",
		"config/crd/released/v0.1.0/a.yaml": "kind: A\n",
		"config/manager/manager.yaml":       "image: ghcr.io/ess-operator/manager:v0.1.0\n",
		"CHANGELOG.md":                      "# Changelog\n\n## v0.1.0 – 2026-11-22\n",
	}
}

// next makes v0.2.0 of a clone in which v0.1.0 was released.
const next = `git tag v0.1.0; echo v0.2.0 >VERSION; sed -i s/v0.1.0/v0.2.0/ config/manager/manager.yaml CHANGELOG.md
	cp -r config/crd/bases config/crd/released/v0.2.0; git add .; git commit -q -m two; `

func TestReleasable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ reason, before, tag, lacks string }{
		"Ready":         {"all is there, and the tag is not yet", "true", "", ""},
		"Tagged":        {"what the workflow sees", "git tag v0.1.0", "v0.1.0", ""},
		"NoTag":         {"images would say a version that is none", "true", "v0.1.0", "the tag is v0.1.0 and this tree is v0.1.0+"},
		"OtherTag":      {"names of images and chart come from VERSION", "git tag v0.3.0", "v0.3.0", "put the tag on a commit in which VERSION has it"},
		"Released":      {"one version is one tree", "git tag v0.1.0; git commit -q --allow-empty -m two", "", "raise VERSION"},
		"NoDefinitions": {"nothing would hold later releases to this one", "rm -r config/crd/released/v0.1.0", "", "cp -r config/crd/bases config/crd/released/v0.1.0"},
		"Stale":         {"later releases would be held to what nobody has", "echo more >>config/crd/bases/a.yaml", "", "rm -r config/crd/released/v0.1.0 && cp -r"},
		"KindMissing":   {"a new kind is part of the release", "touch config/crd/bases/b.yaml", "", "is not what config/crd/bases is"},
		"Newer":         {"comparisons begin at the newest", "cp -r config/crd/bases config/crd/released/v0.10.0", "", "has v0.10.0, which is newer than v0.1.0"},
		"Candidate":     {"a candidate comes before its release", "cp -r config/crd/bases config/crd/released/v0.1.0-rc.1", "", ""},
		"Image":         {"users would install another version", "sed -i s/v0.1.0/v0.0.9/ config/manager/manager.yaml", "", "config/manager/manager.yaml:1:ghcr.io/ess-operator/manager:v0.0.9"},
		"Changelog":     {"users read what changed there", "sed -i s/v0.1.0/Unreleased/ CHANGELOG.md", "", `no heading "## v0.1.0"`},
		"NoVersion":     {"a version is sorted by its numbers", "echo 0.1 >VERSION", "", "which is no version"},
		"Upgrade":       {"an upgrade is proved from the release before", next, "", "upgrades from a18d69f, and the release before is v0.1.0"},
		"Next":          {"and then nothing is missing", next + "sed -i s/a18d69f/v0.1.0/ hack/e2e/previous.sh", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			do := clone(t, releasable(t))
			must(t, do, c.before)
			out, err := do(strings.TrimSpace("hack/releasable.sh " + c.tag))
			if c.lacks == "" && err != nil {
				t.Errorf("%s, but: %v: %s", c.reason, err, out)
			}
			if c.lacks != "" && (err == nil || !strings.Contains(out, c.lacks)) {
				t.Errorf("%s: %v: %s\nwant %q", c.reason, err, out, c.lacks)
			}
		})
	}
}

// TestReleaseAsks holds the workflow to ask before it builds, and finds in the real tree
// what the script looks for.
func TestReleaseAsks(t *testing.T) {
	t.Parallel()
	if !strings.Contains(string(read(t, "../../.github/workflows/release.yaml")), `run: hack/releasable.sh "$GITHUB_REF_NAME"`) {
		t.Error("the workflow that releases does not ask hack/releasable.sh")
	}
	for file, want := range map[string]string{
		"../e2e/previous.sh":                "\nref=${E2E_PREVIOUS:-",
		"../../config/manager/manager.yaml": "image: ghcr.io/ess-operator/manager:v",
	} {
		if !strings.Contains(string(read(t, file)), want) {
			t.Errorf("%s has no %q, which hack/releasable.sh looks for", file, want)
		}
	}
}
