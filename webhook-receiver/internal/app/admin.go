package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/admin"
)

// newAdmin makes the admin port, if there is to be one.
func (p *parts) newAdmin(ctx context.Context) error {
	c := p.live.started.Admin
	if c == nil {
		p.Logger.Warn("there is no admin port: neither probes nor metrics are served; the key admin of the configuration gives one")
		return nil
	}
	handler, err := admin.New(admin.Config{
		Version: p.Version, Token: p.live.tokens, Ready: p.ready,
		Reader: &p.store, Replayer: &p.store, Tailer: &p.store,
		Routes: p.routeFile, Refusals: p.refusals, LastTests: p.lastTests,
		Gatherer: p.registry, Registerer: p.registry, Logger: p.Logger,
	})
	if err != nil {
		return fmt.Errorf("making the admin port: %w", err)
	}
	server := handler.Server()
	if c.TLS != nil {
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: p.live.adminCertificate}
	}
	listener, err := listen(ctx, p.AdminListener, "admin", c.Listen)
	if err != nil {
		return err
	}
	p.admin = &port{name: "admin", server: withTLS{server}, listener: listener}
	if a, ok := listener.Addr().(*net.TCPAddr); ok && c.TLS == nil && !a.IP.IsLoopback() {
		p.Logger.Warn("the admin token travels in the clear: give admin.tls a certificate, or see to it that nobody can listen in")
	}
	p.Logger.Info("serving the admin port", "address", listener.Addr().String(), "tls", c.TLS != nil)
	return nil
}

// routeFile tells the admin API which routes are in force.
func (p *program) routeFile() admin.RouteFile {
	s := p.watcher.Status(routesSource)
	return admin.RouteFile{Table: p.live.routes.Load(), Loaded: s.Loaded, Refused: s.Refused, RefusedAt: s.RefusedAt}
}

// adminCertificate is the pair in force.
func (l *live) adminCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return l.admin.Load(), nil
}
