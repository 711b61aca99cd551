package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// port is a server and the address it listens on.
type port struct {
	name     string // such as "events", for messages
	server   server
	listener net.Listener
}

// server is what serves a port. Serve returns nil once it has been told to end.
type server interface {
	Serve(l net.Listener) error
	Shutdown(ctx context.Context) error
	Close() error
}

// withTLS is an http.Server that speaks TLS if it has a configuration for it.
type withTLS struct{ *http.Server }

func (s withTLS) Serve(l net.Listener) error {
	serve := s.Server.Serve
	if s.TLSConfig != nil {
		serve = func(l net.Listener) error { return s.ServeTLS(l, "", "") }
	}
	if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// listen opens the address, unless a listener is given.
func listen(ctx context.Context, given net.Listener, name, address string) (net.Listener, error) {
	if given != nil {
		return given, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening on %s.listen: %w", name, err)
	}
	return listener, nil
}

// serve answers until the port is closed.
func (p *port) serve() error {
	if err := p.server.Serve(p.listener); err != nil {
		return fmt.Errorf("serving the %s port: %w", p.name, err)
	}
	return nil
}

// close takes no more requests, waits for those under way, and cuts off what is left after the grace: it
// was not answered, so whoever sent it will send it again.
func (p *port) close(grace time.Duration, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := p.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		log.Warn("cutting off requests that did not end in time; none of them was acknowledged", "port", p.name, "waited", grace.String())
		err = p.server.Close()
	}
	if err != nil {
		return fmt.Errorf("closing the %s port: %w", p.name, err)
	}
	return nil
}
