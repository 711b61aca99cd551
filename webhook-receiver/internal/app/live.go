package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/config"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/intake"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/reload"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/sink"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/verify"
)

// The names of what is reloaded, as metrics and log lines have them: the keys of the configuration.
const (
	configSource     = "config"
	routesSource     = "routes"
	eventsTLSSource  = "events.tls"
	adminTLSSource   = "admin.tls"
	adminTokenSource = "admin.tokenFile"
	proofSource      = "proof"
	sinksSource      = "sinks"
)

// live is what the files say, and changes while the program runs. Each part is exchanged as a whole, so
// that a request sees the old one or the new one, and none in between.
type live struct {
	log        *slog.Logger
	registerer prometheus.Registerer // nil: when files are only checked
	expiry     *prometheus.GaugeVec
	version    string
	tracer     trace.TracerProvider // nil: no spans

	started *config.Config // the first one: what holds until a restart
	config  atomic.Pointer[config.Config]
	routes  atomic.Pointer[route.Table]
	proof   atomic.Pointer[verify.Policy]
	events  atomic.Pointer[intake.Identity]
	admin   atomic.Pointer[tls.Certificate]
	token   atomic.Pointer[string]
	sinks   atomic.Pointer[sink.Client]

	// What gets new routes and a new configuration, from the goroutine that reads files.
	rerouted     func(*route.Table)
	reconfigured func(*config.Config)
}

// newLive returns one that nothing has been read into, and that tells nobody of changes.
func newLive(log *slog.Logger) *live {
	return &live{
		log: log, rerouted: func(*route.Table) {}, reconfigured: func(*config.Config) {},
		expiry: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "ess_receiver_certificate_expiry_timestamp_seconds",
			Help: "When the server certificate in force ends.",
		}, []string{"file"}),
	}
}

// watch reads all files for the first time, and has them watched. The error holds everything that is
// wrong; routes is what is wrong with the routes file, which need not keep the program from starting.
func (l *live) watch(w *reload.Watcher, configPath, routesPath string) (err, routes error) {
	routes = w.Watch(l.routesFrom(routesPath))
	if err := w.Watch(l.configFrom(configPath)); err != nil {
		return err, routes
	}
	var errs []error
	for _, s := range []reload.Source{l.eventsTLS(), l.adminTLS(), l.adminToken(), l.proofs(), l.sinkClient()} {
		if err := w.Watch(s); err != nil {
			errs = append(errs, &within{s.Name, err})
		}
	}
	return errors.Join(errs...), routes
}

func (l *live) configFrom(path string) reload.Source {
	dir, err := filepath.Abs(filepath.Dir(path))
	return reload.Source{
		Name:  configSource,
		Files: func() []string { return []string{path} },
		Apply: func(files reload.Files) error {
			if err != nil {
				return fmt.Errorf("finding the folder of %s: %w", path, err)
			}
			c, err := config.Parse(files[path], dir)
			if err != nil {
				return &within{path, err}
			}
			l.take(c)
			return nil
		},
	}
}

// take puts a configuration into force as far as that can be done, and names the rest.
func (l *live) take(c *config.Config) {
	l.config.Store(c)
	l.reconfigured(c)
	l.adviseOfURL()
	if l.started == nil {
		l.started = c
		return
	}
	if keys := needRestart(l.started, c); len(keys) > 0 {
		l.log.Warn("some changes need a restart, the rest is in force", "file", configSource, "keys", keys)
	}
}

func (l *live) routesFrom(path string) reload.Source {
	return reload.Source{
		Name:  routesSource,
		Files: func() []string { return []string{path} },
		Apply: func(files reload.Files) error {
			table, err := route.Parse(files[path])
			if err != nil {
				return &within{path, err}
			}
			l.routes.Store(table)
			l.rerouted(table)
			l.adviseOfURL()
			l.adviseOfCertificate()
			return nil
		},
	}
}

func (l *live) eventsTLS() reload.Source {
	named := func() *config.TLS { return l.config.Load().Events.TLS }
	return l.pair(eventsTLSSource, named, func(c tls.Certificate) {
		l.events.Store(&intake.Identity{Certificates: []tls.Certificate{c}})
		l.adviseOfCertificate()
	})
}

func (l *live) adminTLS() reload.Source {
	named := func() *config.TLS { return adminOf(l.config.Load()).TLS }
	return l.pair(adminTLSSource, named, func(c tls.Certificate) { l.admin.Store(&c) })
}

// pair is a certificate and its key, which are taken together or not at all.
func (l *live) pair(name string, named func() *config.TLS, use func(tls.Certificate)) reload.Source {
	return reload.Source{
		Name: name,
		Files: func() []string {
			if t := named(); t != nil {
				return []string{t.CertFile, t.KeyFile}
			}
			return nil
		},
		Apply: func(files reload.Files) error {
			t := named()
			if t == nil {
				return nil
			}
			certificate, err := tls.X509KeyPair(files[t.CertFile], files[t.KeyFile])
			if err != nil {
				return fmt.Errorf("using %s with the key %s: %w", t.CertFile, t.KeyFile, err)
			}
			if now := time.Now(); now.After(certificate.Leaf.NotAfter) || now.Before(certificate.Leaf.NotBefore) {
				l.log.Warn("the certificate is out of its time, callers will refuse it", "file", t.CertFile,
					"notBefore", certificate.Leaf.NotBefore, "notAfter", certificate.Leaf.NotAfter)
			}
			use(certificate)
			l.expiry.WithLabelValues(name).Set(float64(certificate.Leaf.NotAfter.Unix()))
			return nil
		},
	}
}

func (l *live) adminToken() reload.Source {
	file := func() string { return adminOf(l.config.Load()).TokenFile }
	return reload.Source{
		Name:  adminTokenSource,
		Files: func() []string { return paths(file()) },
		Apply: func(files reload.Files) error {
			token := string(files[file()])
			if file() != "" && strings.TrimSpace(token) == "" {
				return fmt.Errorf("%s holds no token: write one, or one per line", file())
			}
			l.token.Store(&token)
			return nil
		},
	}
}

func (l *live) sinkClient() reload.Source {
	settings := func() config.Sinks { return l.config.Load().Sinks }
	return reload.Source{
		Name:     sinksSource,
		Files:    func() []string { return paths(settings().CAFile) },
		Settings: func() any { return settings() },
		Apply: func(files reload.Files) error {
			s := settings()
			roots, err := systemAnd(s.CAFile, files[s.CAFile])
			if err != nil {
				return err
			}
			client := sink.New(sink.Config{DenyCIDRs: s.DenyCIDRs, Roots: roots, Version: l.version, TracerProvider: l.tracer})
			if old := l.sinks.Swap(client); old != nil {
				old.Close()
			}
			return nil
		},
	}
}

// systemAnd returns the system's roots and those of a file, or nil for the system's alone.
func systemAnd(path string, pem []byte) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // an image without any
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM: write the authority's there", path)
	}
	return roots, nil
}

// paths leaves out empty paths.
func paths(all ...string) []string {
	var some []string
	for _, p := range all {
		if p != "" {
			some = append(some, p)
		}
	}
	return some
}

// Send hands an event to a sink as the configuration in force has it.
func (l *live) Send(ctx context.Context, to route.Sink, e event.Event, format route.Format) error {
	return l.sinks.Load().Send(ctx, to, e, format)
}

// tokens returns the admin tokens, a line each.
func (l *live) tokens() string { return *l.token.Load() }
