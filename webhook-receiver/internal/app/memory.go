package app

import (
	"os"
	"runtime/debug"
)

// How much garbage the receiver keeps: four times what is in use, where Go lets it grow to once that, for what is in use
// is a few megabytes and each event makes forty kilobytes of garbage; and no more than fits into the memory limit of
// the deployment, with room for stacks and pages of the journal, when bodies are large.
const (
	garbagePercent = 400
	memoryLimit    = 384 << 20
)

// CollectLate sets how the garbage of this process is collected. GOGC and GOMEMLIMIT still decide.
func CollectLate() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}
