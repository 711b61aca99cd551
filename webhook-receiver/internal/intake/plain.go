package intake

import (
	"errors"
	"io"
	"net"
	"slices"
	"sync"
)

// A proxy that was told http for a port that is https passes on what it hears to ESS. net/http would say 400 there,
// which loses the event for what somebody can put right; so this port says 503.
const notTLS = "HTTP/1.1 503 Service Unavailable\r\n" +
	"Retry-After: 60\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 36\r\n\r\n" +
	"this port speaks TLS: use https here"

var errNotTLS = errors.New("the client speaks HTTP without TLS: does a proxy have http for this port?")

// tlsListener takes connections whose first bytes tell TLS from HTTP.
type tlsListener struct{ net.Listener }

func (l tlsListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &tlsConn{Conn: c}, nil
}

// tlsConn answers a client that speaks HTTP where a handshake should begin.
type tlsConn struct {
	net.Conn
	first sync.Once
}

func (c *tlsConn) Read(b []byte) (n int, err error) {
	n, err = c.Conn.Read(b)
	c.first.Do(func() {
		if n > 0 && plain(b[0]) {
			_, _ = io.WriteString(c.Conn, notTLS) // who does not listen asks again
			n, err = 0, errNotTLS
		}
	})
	return n, err
}

// plain tells a letter of a method from the type of a record, which is below 0x20.
func plain(b byte) bool { return slices.Contains([]byte("CDGHOPT"), b) }
