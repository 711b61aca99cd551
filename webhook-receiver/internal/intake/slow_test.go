package intake

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// dial opens a plain connection, and gives it up when the test has hung.
func dial(tb testing.TB, s *running) net.Conn {
	tb.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		tb.Fatal(err)
	}
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	return c
}

func write(tb testing.TB, c net.Conn, format string, args ...any) {
	tb.Helper()
	if _, err := fmt.Fprintf(c, format, args...); err != nil {
		tb.Fatal(err)
	}
}

// status reads one answer.
func status(tb testing.TB, from *bufio.Reader) int {
	tb.Helper()
	answer, err := http.ReadResponse(from, nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		tb.Fatal(err)
	}
	return answer.StatusCode
}

// ended waits for the server to close c.
func ended(tb testing.TB, c net.Conn) {
	tb.Helper()
	var timeout net.Error
	if _, err := io.Copy(io.Discard, c); errors.As(err, &timeout) && timeout.Timeout() {
		tb.Error("the connection was left open")
	}
}

const head = "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nConcur-Signature: good\r\n"

func TestConnectionsThatDoNothingEnd(t *testing.T) {
	t.Parallel()
	short := timeouts{header: 100 * time.Millisecond, idle: 100 * time.Millisecond, ping: 50 * time.Millisecond}
	for name, tc := range map[string]struct {
		plain bool
		sent  string
	}{
		"NoHandshake":   {sent: ""},
		"HalfHandshake": {sent: "\x16\x03\x01\x02\x00\x01"},
		"NoRequest":     {plain: true, sent: ""},
		"HalfHeaders":   {plain: true, sent: head + "X-Slow: "},
		"Idle":          {plain: true, sent: head + "Content-Length: 2\r\n\r\n{}"},
		"HalfOpenHTTP2": {plain: true, sent: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\x00\x00\x00\x04\x00\x00\x00\x00\x00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, ServerConfig{timeouts: short}, tc.plain)
			c := dial(t, s)
			write(t, c, "%s", tc.sent)
			ended(t, c)
		})
	}
}

// Headers that come byte by byte do not get more time than others.
func TestSlowloris(t *testing.T) {
	t.Parallel()
	s := start(t, ServerConfig{timeouts: timeouts{header: 200 * time.Millisecond}}, true)
	c := dial(t, s)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for i := range 1000 {
		if _, err := fmt.Fprintf(c, "%c", (head + strings.Repeat("X-Slow: 1\r\n", 100))[i]); err != nil {
			return // the server has ended it
		}
		<-tick.C
	}
	t.Error("1,000 bytes in 10 s were waited for")
}

// What breaks off or lies about its length is not stored, and is answered if somebody listens.
func TestBodiesThatBreakOff(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]string{
		"Shorter":     head + "Content-Length: 100\r\n\r\n{}",
		"BrokenChunk": head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nzz\r\n",
		"NoLastChunk": head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &memory{}
			h, registry := newHandler(t, Config{Store: store})
			s := start(t, ServerConfig{Handler: h}, true)
			c := dial(t, s)
			write(t, c, "%s", sent)
			if err := c.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if got := status(t, bufio.NewReader(c)); got != http.StatusServiceUnavailable {
				t.Errorf("status %d", got)
			}
			ended(t, c)
			if len(store.entries) != 0 {
				t.Errorf("stored %v", store.entries)
			}
			if n := counts(t, registry)["ess_receiver_received_total kind=subscription name=reports namespace=finance result=aborted"]; n != 1 {
				t.Errorf("%v counted as aborted", n)
			}
		})
	}
}

// Who asks first whether to send a body is told to go on, or hears the answer at once.
func TestExpectContinue(t *testing.T) {
	t.Parallel()
	s := start(t, ServerConfig{}, true)
	c := dial(t, s)
	in := bufio.NewReader(c)
	write(t, c, "%sContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", head, len(goodBody))
	if got := status(t, in); got != http.StatusContinue {
		t.Fatalf("status %d, want to go on", got)
	}
	write(t, c, "%s", goodBody)
	if got := status(t, in); got != http.StatusOK {
		t.Errorf("status %d", got)
	}
	write(t, c, "%sContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", head, defaultMaxBody+1)
	if got := status(t, in); got != http.StatusServiceUnavailable {
		t.Errorf("status %d for a body that is too large", got)
	}
}

// An answer does not wait for a body that is refused unread.
func TestRefusalDoesNotWaitForTheBody(t *testing.T) {
	t.Parallel()
	s := start(t, ServerConfig{}, true)
	for request, want := range map[string]int{
		"POST /events/no/route":            http.StatusServiceUnavailable,
		"POST /elsewhere":                  http.StatusNotFound,
		"PUT " + path:                      http.StatusMethodNotAllowed,
		"POST /system/v1.0/testconnection": http.StatusUnauthorized,
		"PUT /system/v1.0/testconnection":  http.StatusMethodNotAllowed,
	} {
		t.Run(request, func(t *testing.T) {
			t.Parallel()
			c := dial(t, s)
			write(t, c, "%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{", request)
			if got := status(t, bufio.NewReader(c)); got != want {
				t.Errorf("status %d, want %d", got, want)
			}
			ended(t, c)
		})
	}
}

// A proxy that has http for a port of https passes our answer on to ESS, and somebody can put that right.
func TestPlainHTTPWhereTLSIsSpoken(t *testing.T) {
	t.Parallel()
	s := start(t, ServerConfig{}, false)
	for name, sent := range map[string]string{
		"HTTP1": head + "Content-Length: 2\r\n\r\n{}",
		"HTTP2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, s)
			write(t, c, "%s", sent)
			if got := status(t, bufio.NewReader(c)); got != http.StatusServiceUnavailable {
				t.Errorf("status %d", got)
			}
			ended(t, c)
		})
	}
}

// Go refuses larger headers with 431, which loses the event; so there must be room.
func TestLargeHeaders(t *testing.T) {
	t.Parallel()
	s := start(t, ServerConfig{}, true)
	c := dial(t, s)
	write(t, c, "%sX-Large: %s\r\nContent-Length: 2\r\n\r\n{}", head, strings.Repeat("a", 900<<10))
	if got := status(t, bufio.NewReader(c)); got != http.StatusOK {
		t.Errorf("status %d", got)
	}
}
