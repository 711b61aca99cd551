package journal

import (
	"os"
	"testing"
)

// TestMain runs the tests, or, as a process that a test has started, what that test wants done by one.
func TestMain(m *testing.M) {
	switch os.Getenv("JOURNAL_CHILD") {
	case "load":
		loadChild()
	case "limit":
		limitChild()
	default:
		os.Exit(m.Run())
	}
}
