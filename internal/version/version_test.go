package version

import (
	"runtime/debug"
	"testing"
)

func TestDescribe(t *testing.T) {
	t.Parallel()
	built := func(module string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: module}, Settings: settings}
	}
	commit := debug.BuildSetting{Key: "vcs.revision", Value: "1a2b3c4"}
	dirty := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	cases := map[string]struct {
		reason string
		linked string
		info   *debug.BuildInfo
		want   string
	}{
		"Linked": {
			reason: "A release names its tag, whatever else is known.",
			linked: "v0.1.0",
			info:   built("v0.0.9", commit),
			want:   "v0.1.0",
		},
		"Installed": {
			reason: "go install records the version of the module.",
			info:   built("v0.1.0"),
			want:   "v0.1.0",
		},
		"Commit": {
			reason: "A plain go build in a clone records only the commit.",
			info:   built("(devel)", commit),
			want:   "1a2b3c4",
		},
		"DirtyCommit": {
			reason: "A commit must not stand for code that it does not hold.",
			info:   built("(devel)", commit, dirty),
			want:   "1a2b3c4-dirty",
		},
		"NothingRecorded": {
			reason: "-buildvcs=false leaves nothing to say.",
			info:   built(""),
			want:   "unknown",
		},
		"NoBuildInfo": {
			reason: "A program built without modules has none.",
			want:   "unknown",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := describe(tc.linked, tc.info); got != tc.want {
				t.Errorf("%s\ndescribe() = %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

func TestStringIsNeverEmpty(t *testing.T) {
	t.Parallel()
	if String() == "" {
		t.Error("String() is empty")
	}
}
