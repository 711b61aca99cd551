package app

import (
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestPortCutsOffWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	began := make(chan struct{})
	hang := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
	})
	p := &port{name: "events", listener: listener, server: withTLS{&http.Server{Handler: hang, ReadHeaderTimeout: time.Minute}}}
	served, asked := make(chan error, 1), make(chan error, 1)
	go func() { served <- p.serve() }()
	go func() {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String(), nil)
		if err != nil {
			asked <- err
			return
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = response.Body.Close()
		}
		asked <- err
	}()
	<-began
	var log bytes.Buffer
	if err := p.close(10*time.Millisecond, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
		t.Errorf("close: %v, but nobody has lost anything", err)
	}
	if err := <-asked; err == nil {
		t.Error("the request was answered, though it was cut off")
	}
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
	if !strings.Contains(log.String(), "cutting off requests") {
		t.Errorf("nobody is told that requests were cut off: %s", log.String())
	}
}
