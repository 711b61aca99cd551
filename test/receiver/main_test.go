// Package receiver_test proves the receiver from outside: the real program, as
// it is built, between the emulator that delivers over TLS with certificate
// and signature, and a sink that keeps what it gets. Programs are killed for
// real. What the emulator counts as delivered and what the sink holds has to
// agree, byte for byte.
package receiver_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// program is the path of the receiver under test, built with the race detector where there is one.
var program string

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "receiver suite:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "receiver-suite-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program = filepath.Join(dir, "webhook-receiver")
	arguments := []string{"build", "-buildvcs=false", "-o", program} // no word of git's about its clone matters here
	if raceEnabled {
		arguments = append(arguments, "-race")
	}
	build := exec.CommandContext(context.Background(), "go", append(arguments, "../../webhook-receiver")...)
	if output, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("building the receiver: %w\n%s", err, output)
	}
	return m.Run(), nil
}
