package app

import (
	"runtime/debug"
	"testing"
)

// TestCollectLate leaves to the environment what it says.
func TestCollectLate(t *testing.T) { //nolint:paralleltest // it changes what the whole process has
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(1<<40)
	t.Cleanup(func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	})
	tests := []struct {
		reason, gogc, limit string
		wantPercent         int
		wantLimit           int64
	}{
		{"What the environment has set stays.", "100", "1TiB", 100, 1 << 40},
		{"Where it sets one of both, the other is ours.", "100", "", 100, memoryLimit},
		{"Where it sets neither, both are.", "", "", garbagePercent, memoryLimit},
	}
	for _, test := range tests {
		t.Setenv("GOGC", test.gogc)
		t.Setenv("GOMEMLIMIT", test.limit)
		CollectLate()
		gotPercent, gotLimit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
		if gotPercent != test.wantPercent || gotLimit != test.wantLimit {
			t.Errorf("%s GOGC is %d and the limit %d, want %d and %d", test.reason, gotPercent, gotLimit, test.wantPercent, test.wantLimit)
		}
	}
}
