package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"syscall"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/go-logr/logr"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
	"github.com/ess-operator/ess-operator/test/controlplane"
)

// bench is what all measurements share. They build on each other, in their order.
type bench struct {
	sizes   sizes
	results results
	dir     string
	stop    context.CancelFunc

	plane   *controlplane.ControlPlane
	client  client.Client
	watched *watcher

	concur *essemulator.Emulator
	server *httptest.Server
	ca     []byte

	serial   []connection // those of the namespace edited
	managers []*manager
	manager  *manager // the one at work
	started  int
	apps     int // applications so far
	edits    int
}

// newBench starts everything but the manager.
func newBench(ctx context.Context, s sizes) (*bench, error) {
	if s.connections < 100 || s.subscriptions < 1 || s.subscriptions > 5 || s.creates > 200 || s.rotations > serialConnections {
		return nil, errors.New("reading the sizes: outside what --help allows")
	}
	ctrl.SetLogger(logr.Discard())
	b := &bench{sizes: s}
	ctx, b.stop = context.WithCancel(ctx)
	for _, start := range []func(context.Context) error{b.makeDir, b.startConcur, b.startPlane, b.startWatching} {
		if err := start(ctx); err != nil {
			return nil, errors.Join(err, b.close())
		}
	}
	return b, nil
}

func (b *bench) makeDir(context.Context) (err error) {
	if b.dir = b.sizes.keep; b.dir != "" {
		return os.Mkdir(b.dir, 0o700)
	}
	b.dir, err = os.MkdirTemp("", "ess-operator-bench-")
	return err
}

// startConcur serves the emulator over HTTP/2 and TLS, as a data center does.
func (b *bench) startConcur(context.Context) (err error) {
	if b.concur, err = essemulator.New(); err != nil {
		return err
	}
	b.server = httptest.NewUnstartedServer(b.concur.Handler())
	b.server.EnableHTTP2 = true
	b.server.StartTLS()
	b.concur.SetBaseURL(b.server.URL)
	b.ca = certificate(b.server.Certificate())
	return nil
}

func certificate(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

func (b *bench) startPlane(ctx context.Context) (err error) {
	b.plane, err = controlplane.Start(ctx, controlplane.Options{CRDDirs: []string{"config/crd/bases"}, Audit: true, WithoutControllers: true})
	return err
}

// startWatching connects as a user who watches EventSubscriptions.
func (b *bench) startWatching(ctx context.Context) (err error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return fmt.Errorf("building the scheme: %w", err)
	}
	config := rest.CopyConfig(b.plane.Config)
	config.QPS = -1 // what is measured must not wait for us
	if b.client, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	b.watched, err = watch(ctx, config, scheme)
	return err
}

// close stops everything, in the opposite order.
func (b *bench) close() error {
	var errs []error
	for _, m := range b.managers {
		errs = append(errs, m.stop(syscall.SIGKILL))
	}
	b.stop()
	if b.plane != nil {
		errs = append(errs, b.plane.Stop())
	}
	if b.server != nil {
		b.server.CloseClientConnections()
		b.server.Close()
	}
	if b.sizes.keep == "" && b.dir != "" {
		errs = append(errs, os.RemoveAll(b.dir))
	}
	return errors.Join(errs...)
}
