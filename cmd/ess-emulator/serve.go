package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// stopTime is how long calls under way may take when the program is told to stop. It is well above
// the five seconds in which a server of net/http still waits for the first request of a connection.
const stopTime = 10 * time.Second

// localhost are the hosts that every server certificate names.
var localhost = []string{"localhost", "127.0.0.1", "::1"}

// program is an emulator with its listeners open.
type program struct {
	opts   *options
	emu    *essemulator.Emulator
	clock  *essemulator.Clock
	logger *slog.Logger
	keys   essemulator.Keys
	out    io.Writer

	api, admin, echo net.Listener // echo is nil without --echo-listen
}

// serve runs the program until ctx ends.
func serve(ctx context.Context, o *options, stdout, stderr io.Writer) error {
	p, err := prepare(o, stdout, stderr)
	if err != nil {
		return err
	}
	if err := p.open(ctx); err != nil {
		return err
	}
	p.welcome(stdout)
	return p.run(ctx)
}

// initialize completes the state directory and stops. A program that starts with the same flags then writes nothing.
func initialize(_ context.Context, o *options, stdout, stderr io.Writer) error {
	p, err := prepare(o, stdout, stderr)
	if err != nil {
		return err
	}
	if _, err := p.serverCertificate(); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "ess-emulator has its keys and certificates in %s.\n", o.stateDir)
	return nil
}

// prepare reads or makes the keys and builds the emulator.
func prepare(o *options, stdout, stderr io.Writer) (*program, error) {
	keys, err := stateDir(o.stateDir).keys()
	if err != nil {
		return nil, err
	}
	roots, err := deliveryRoots(keys, o.deliveryCAFile)
	if err != nil {
		return nil, err
	}
	p := &program{
		opts: o, keys: keys, logger: newLogger(o, stderr), out: stdout,
		clock: essemulator.NewClock(o.clockOffset, o.clock == "manual"),
	}
	p.emu, err = essemulator.New(
		essemulator.WithAssumptions(o.assume), essemulator.WithClock(p.clock), essemulator.WithKeys(keys),
		essemulator.WithLogger(p.logger), essemulator.WithDeliveryRoots(roots),
	)
	if err != nil {
		return nil, err
	}
	p.emu.SetBaseURL(strings.TrimSuffix(o.baseURL, "/"))
	for _, app := range o.applications {
		p.emu.PutApplication(app)
	}
	if err := p.register(); err != nil {
		return nil, err
	}
	return p, p.publishCertificates()
}

// register puts the connectors and tokens of callouts that flags name.
func (p *program) register() error {
	for _, c := range p.opts.connectors {
		if err := p.emu.Callouts().PutConnector(c); err != nil {
			return err
		}
	}
	for _, t := range p.opts.userTokens {
		if _, err := p.emu.PutUserToken(t.token, t.UserToken); err != nil {
			return err
		}
	}
	return nil
}

// publishCertificates writes what clients and endpoints need into the state directory.
func (p *program) publishCertificates() error {
	dir := stateDir(p.opts.stateDir)
	if err := write(dir.path("signing-key.pem"), p.keys.SigningKeyPEM(), 0o644); err != nil {
		return err
	}
	if !shows(p.keys, dir.path("webhook")) {
		if err := writeCertificate(dir.path("webhook"), p.emu.WebhookCertificate()); err != nil {
			return err
		}
	}
	if _, err := certificate(p.keys, dir.path("endpoint"), localhost); err != nil {
		return err
	}
	for _, wish := range p.opts.issue {
		hosts, prefix, ok := strings.Cut(wish, ":")
		if !ok || hosts == "" || prefix == "" {
			return fmt.Errorf("issuing a certificate: --issue-cert=%s: want host[,host]:file-prefix", wish)
		}
		if _, err := certificate(p.keys, prefix, strings.Split(hosts, ",")); err != nil {
			return err
		}
	}
	return nil
}

// serverCertificate is that of Concur's face.
func (p *program) serverCertificate() (tls.Certificate, error) {
	hosts := append(localhost[:3:3], p.opts.serverNames...)
	return certificate(p.keys, stateDir(p.opts.stateDir).path("server"), hosts)
}

// open starts to listen, so that whoever reads the welcome can call.
func (p *program) open(ctx context.Context) error {
	server, err := p.serverCertificate()
	if err != nil {
		return err
	}
	if p.api, err = listenTLS(ctx, p.opts.listen, server); err != nil {
		return err
	}
	if p.admin, err = new(net.ListenConfig).Listen(ctx, "tcp", p.opts.adminListen); err != nil {
		return fmt.Errorf("listening for the admin API: %w", err)
	}
	if p.opts.echoListen == "" {
		return nil
	}
	endpoint, err := certificate(p.keys, stateDir(p.opts.stateDir).path("endpoint"), localhost)
	if err != nil {
		return err
	}
	p.echo, err = listenTLS(ctx, p.opts.echoListen, endpoint)
	return err
}

func listenTLS(ctx context.Context, address string, cert tls.Certificate) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening for HTTPS: %w", err)
	}
	return tls.NewListener(l, &tls.Config{
		Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12,
		// Without the www- prefix Concur's hosts ask for a client certificate and do not insist
		// (SAP Concur, Base URIs); a client must bear it.
		ClientAuth: tls.RequestClientCert,
	}), nil
}

// run serves until ctx ends or something fails; the first to stop stops all.
func (p *program) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return p.clock.Run(ctx) })
	group.Go(func() error { return p.emu.Run(ctx) })
	if every := p.opts.sampleInterval; every > 0 {
		group.Go(func() error { return p.emu.PublishSamples(ctx, every) })
	}
	p.listenAndServe(ctx, group, p.api, p.emu.Handler())
	p.listenAndServe(ctx, group, p.admin, p.emu.AdminHandler())
	if p.echo != nil {
		p.listenAndServe(ctx, group, p.echo, &echo{emu: p.emu, out: p.out})
	}
	return group.Wait()
}

func (p *program) listenAndServe(ctx context.Context, group *errgroup.Group, l net.Listener, h http.Handler) {
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(p.logger.Handler(), slog.LevelDebug),
		// Calls that wait end with ctx, so that none holds up the stop.
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	group.Go(func() error {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serving %s: %w", l.Addr(), err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		if err := srv.Shutdown(stop); err != nil {
			return fmt.Errorf("stopping %s: %w", l.Addr(), err)
		}
		return nil
	})
}

// deliveryRoots are whom deliveries trust, with those of the file if there is one.
func deliveryRoots(k essemulator.Keys, file string) (*x509.CertPool, error) {
	roots := essemulator.DefaultRoots(k)
	if file == "" {
		return roots, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading --delivery-ca-file: %w", err)
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("reading --delivery-ca-file: %s holds no certificate in PEM", file)
	}
	return roots, nil
}

func newLogger(o *options, w io.Writer) *slog.Logger {
	how := &slog.HandlerOptions{Level: o.logLevel}
	if o.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, how))
	}
	return slog.New(slog.NewTextHandler(w, how))
}
