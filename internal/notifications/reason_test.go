package notifications_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/internal/notifications"
)

func TestReasonsStayTheSame(t *testing.T) {
	t.Parallel()
	from := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 54321}
	reset := &net.OpError{Op: "read", Net: "tcp", Source: from, Addr: from, Err: syscall.ECONNRESET}
	now := time.Now()
	tests := map[string]struct {
		reason string
		err    error
		want   string
	}{
		"Port":    {"each connection has another port, and each change a write of status", fmt.Errorf("http2: %w", reset), "connection reset by peer"},
		"Lookup":  {"so has each question to a name server", &net.DNSError{Err: "read udp 127.0.0.1:54321: refused", Name: "a"}, "the name of the host cannot be looked up"},
		"NoHost":  {"that is a mistake in the spec", &net.DNSError{Err: "no such host", Name: "a", IsNotFound: true}, "no such host"},
		"Expired": {"it tells the time of day", x509.CertificateInvalidError{Reason: x509.Expired, Detail: now.String(), Cert: &x509.Certificate{}}, "the certificate has expired or is not yet valid"},
		"Echo":    {"it tells what was sent", errors.New(`malformed HTTP response "GET /\" secret"`), `malformed HTTP response "…"`},
		"Timeout": {"it tells both ends", &net.OpError{Op: "read", Source: from, Err: timeout{}}, "not in time"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := notifications.Reason(tt.err); got != tt.want {
				t.Errorf("got %q, want %q: %s", got, tt.want, tt.reason)
			}
		})
	}
}

type timeout struct{}

func (timeout) Error() string { return "i/o timeout" }
func (timeout) Timeout() bool { return true }
