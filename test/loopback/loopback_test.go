package loopback

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// other makes this binary another process, which prints an address and waits for the end of its input.
const other = "LOOPBACK_TEST_OTHER"

func TestMain(m *testing.M) {
	if os.Getenv(other) != "" {
		address, err := Address()
		if err != nil {
			panic(err)
		}
		os.Stdout.WriteString(address + "\n")
		return
	}
	os.Exit(m.Run())
}

func TestAddressIsOneToListenOn(t *testing.T) {
	t.Parallel()
	given := map[string]bool{}
	for range 100 {
		address, err := Address()
		if err != nil {
			t.Fatal(err)
		}
		if given[address] {
			t.Errorf("%s was given twice", address)
		}
		given[address] = true
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Errorf("nobody can listen there: %v", err)
			continue
		}
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAddressInUseIsNotGiven(t *testing.T) {
	t.Parallel()
	address, err := Address()
	if err != nil {
		t.Fatal(err)
	}
	if claim, err := net.ListenPacket("udp", address); err == nil {
		_ = claim.Close()
		t.Errorf("%s is not claimed, so that another process may be given it", address)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if free(address) {
		t.Errorf("%s is called free while a program listens there", address)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if !free(address) {
		t.Errorf("%s is called taken when nobody listens there", address)
	}
}

// TestClaimEndsWithTheProcess runs alone, because a process that is being started has for a moment what
// its parent listens on.
//
//nolint:paralleltest // see above
func TestClaimEndsWithTheProcess(t *testing.T) {
	process := exec.CommandContext(t.Context(), os.Args[0])
	process.Env = append(os.Environ(), other+"=1")
	said, err := process.Output()
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimSpace(string(said))
	claim, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatalf("the claim outlives the process: %v", err)
	}
	_ = claim.Close()
}

func TestPortsAreBelowThosePicked(t *testing.T) {
	t.Parallel()
	if first := top(); first <= lowest || first > lowest+span {
		t.Errorf("ports are taken from %d to %d", lowest, first)
	}
}
