package essemulator

import (
	"crypto/tls"
	"net"
	"net/http"
)

// abort ends a call without an answer: a TCP reset where the connection can be had, the end of the HTTP/2
// stream otherwise.
func abort(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // the documented way to cut a stream; the server does not log it
	}
	raw := conn
	if secure, ok := conn.(*tls.Conn); ok {
		raw = secure.NetConn()
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // makes Close send RST; without it the caller sees an orderly end
	}
	_ = raw.Close() // not conn: TLS would say goodbye first
}
