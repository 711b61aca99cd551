// Package loopback finds addresses for programs that have to be told where to
// listen, and that may be restarted there: a port that is free when a test looks,
// and stays free until the program has it, and while it is away.
//
// Of a port that the system picks (port 0) that cannot be said. Every other test on
// the machine that starts a server has the system pick one, and it may pick the same
// as soon as it is free. The ports here are those that the system never picks.
package loopback

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
)

const (
	// lowest and span are the ports below those that Linux picks from (32768), and macOS (49152).
	lowest = 16384
	span   = 16384
	// picked is where Linux says from which port on it picks.
	picked = "/proc/sys/net/ipv4/ip_local_port_range"
	// attempts are far more than there are programs on a machine.
	attempts = 1000
)

// errNone: all ports that were tried are in use.
var errNone = errors.New("no port is free")

// claims are held as long as this process lives.
var claims struct {
	sync.Mutex
	held []net.PacketConn
}

// Address returns host and port of loopback, such as 127.0.0.1:20123. No other process that
// asks this package gets the same until this one has ended, and the system gives it to nobody.
func Address() (string, error) {
	for range attempts {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(lowest+rand.IntN(top()-lowest)))
		// Who holds the port of UDP has claimed that of TCP, which must be free for the program.
		claim, err := net.ListenPacket("udp", address)
		if err != nil {
			continue
		}
		if !free(address) {
			_ = claim.Close() // another one is tried
			continue
		}
		claims.Lock()
		claims.held = append(claims.held, claim)
		claims.Unlock()
		return address, nil
	}
	return "", fmt.Errorf("looking for an address from port %d to %d: %w", lowest, top(), errNone)
}

// free reports whether a program could listen.
func free(address string) bool {
	listener, err := net.Listen("tcp", address)
	return err == nil && listener.Close() == nil
}

// top is the first port that the system may pick. Where it picks from all of them, any is as good.
func top() int {
	var first int
	text, err := os.ReadFile(picked)
	if err != nil {
		return lowest + span
	}
	if _, err := fmt.Sscan(string(text), &first); err != nil || first < lowest+span/4 {
		return lowest + span
	}
	return min(first, lowest+span)
}
