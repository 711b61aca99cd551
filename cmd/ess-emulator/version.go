package main

import "runtime/debug"

// release is set by the linker: -X main.release=v1.2.3.
var release string

// version is the release, or what the go command recorded when it built the program.
func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}
