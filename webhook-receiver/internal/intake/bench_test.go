package intake

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// BenchmarkHandler tells what a delivery costs beside proof, store and network.
func BenchmarkHandler(b *testing.B) {
	h, _ := newHandler(b, Config{
		Store:  storeWith(event.Accepted, nil),
		Prover: func() Prover { return proverFunc(func(*http.Request, []byte) (string, error) { return "bench", nil }) },
	})
	for name, body := range map[string]string{
		"100B":   goodBody,
		"100KiB": strings.Replace(goodBody, `"R"`, `"`+strings.Repeat("R", 100<<10)+`"`, 1),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				h.ServeHTTP(httptest.NewRecorder(), post(path, strings.NewReader(body)))
			}
		})
	}
}

// BenchmarkServer tells what a delivery costs through a socket: over TLS with a connection kept, and with a new one.
func BenchmarkServer(b *testing.B) {
	for name, h2 := range map[string]bool{"HTTP1": false, "HTTP2": true} {
		b.Run(name, func(b *testing.B) {
			s := start(b, ServerConfig{}, false)
			c := client(b, h2, nil)
			for b.Loop() {
				send(b, c, s)
			}
		})
	}
	b.Run("Handshake", func(b *testing.B) {
		s := start(b, ServerConfig{}, false)
		c := client(b, false, nil)
		for b.Loop() {
			send(b, c, s)
			c.CloseIdleConnections()
		}
	})
}
