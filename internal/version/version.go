// Package version says which build of ess-operator a program is.
//
// "make build" sets Version from the file VERSION and git. A program built in another way, such as by
// "go install", falls back on what the Go toolchain recorded in it, so that a bug
// report always has something to name.
package version

import (
	"runtime/debug"
)

// Version is set by the linker, to what hack/version.sh prints: a release such as v0.1.0,
// or with the commit, such as v0.1.0+1a2b3c4d5e6f, with .dirty when the tree had changes.
var Version string

// String returns the version of the running program, never empty.
func String() string {
	info, _ := debug.ReadBuildInfo()
	return describe(Version, info)
}

// describe prefers what the linker set, then the module's version, then the commit.
func describe(linked string, info *debug.BuildInfo) string {
	if linked != "" {
		return linked
	}
	if info == nil {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	settings := make(map[string]string, len(info.Settings))
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	commit := settings["vcs.revision"]
	if commit == "" {
		return "unknown"
	}
	if settings["vcs.modified"] == "true" {
		commit += "-dirty"
	}
	return commit
}
