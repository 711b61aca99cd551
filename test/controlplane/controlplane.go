package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// startTimeout is how long one program may take to answer its health check. It is
// generous, since tests start several control planes on a machine of two cores.
const startTimeout = 90 * time.Second

// Options chooses what Start starts. The zero value is a control plane with
// kube-controller-manager, without CRDs and without an audit log.
type Options struct {
	// CRDDirs are directories (or files) with CustomResourceDefinitions to install.
	// Relative paths start at the root of the Go module.
	CRDDirs []string
	// Audit writes one line per request to ControlPlane.AuditLog, at level Metadata.
	Audit bool
	// AuditBodies adds what clients send with their writes (level Request), save
	// Secrets and tokens. It means nothing without Audit.
	AuditBodies bool
	// WithoutControllers leaves kube-controller-manager out: namespaces then never
	// finish being deleted, and nothing is garbage-collected.
	WithoutControllers bool
	// Dir keeps certificates, logs and etcd's data; it must be empty or absent, and
	// stays after Stop. Empty: a temporary directory that Stop removes.
	Dir string
}

// ControlPlane is a running control plane. Its fields are for reading, and its
// methods may be called from many goroutines at once.
type ControlPlane struct {
	// Config reaches the API server as a member of system:masters, without client-side throttling
	// worth mentioning.
	Config *rest.Config
	// Kubeconfig is the path of a kubeconfig file for the same user.
	Kubeconfig string
	// AssetsDir is the directory with the programs that run, kubectl among them.
	AssetsDir string
	// Dir holds all files of this control plane, such as the programs' logs in Dir/logs.
	Dir string
	// AuditLog is the path of the audit log, one JSON event per line; empty
	// without Options.Audit. A request is in it when its response has ended.
	AuditLog string

	env   *envtest.Environment
	guard *guard
	keep  bool
	stop  func() error
}

// Start starts a control plane and returns once it serves requests, its controllers
// work and its CRDs are established. Cancelling ctx ends the start, not the control plane:
// only Stop does that. After an error nothing is left running.
func Start(ctx context.Context, opts Options) (*ControlPlane, error) {
	assets, err := findAssets(opts)
	if err != nil {
		return nil, fmt.Errorf("finding the programs of the control plane: %w", err)
	}
	dir, err := makeDir(opts.Dir)
	if err != nil {
		return nil, fmt.Errorf("making the directory of the control plane: %w", err)
	}
	cp := &ControlPlane{AssetsDir: assets, Dir: dir, keep: opts.Dir != ""}
	cp.stop = sync.OnceValue(cp.stopAll)
	if err := cp.start(ctx, opts); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the control plane: %w", err), cp.Stop())
	}
	return cp, nil
}

// Stop kills every process of the control plane at once and removes its files,
// unless Options.Dir named their place. It may be called more than once.
func (cp *ControlPlane) Stop() error { return cp.stop() }

func (cp *ControlPlane) start(ctx context.Context, opts Options) error {
	var err error
	if cp.guard, err = newGuard(cp.Dir, !cp.keep); err != nil {
		return err
	}
	if err := cp.prepare(opts); err != nil {
		return err
	}
	if err := cp.startEnvironment(ctx); err != nil {
		return err
	}
	cp.Config = cp.env.Config
	cp.Kubeconfig = filepath.Join(cp.Dir, "kubeconfig")
	if err := os.WriteFile(cp.Kubeconfig, cp.env.KubeConfig, 0o600); err != nil {
		return err
	}
	if opts.WithoutControllers {
		return nil
	}
	return cp.startControllers(ctx)
}

// startEnvironment runs envtest, which knows no context, and makes it end with ctx:
// killing its programs and taking the way to start others fails it soon.
func (cp *ControlPlane) startEnvironment(ctx context.Context) error {
	var err error
	started := make(chan struct{})
	go func() {
		defer close(started)
		_, err = cp.env.Start()
	}()
	select {
	case <-started:
	case <-ctx.Done():
		killErr := cp.guard.killAll()
		<-started
		return errors.Join(context.Cause(ctx), killErr)
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, cp.guard.logTails(etcd, apiServer))
	}
	return nil
}

func (cp *ControlPlane) stopAll() error {
	var err error
	if cp.guard != nil {
		err = cp.guard.killAll()
	}
	if cp.env != nil {
		// All it has left to do is to give back its ports and temporary files. It
		// reports a process that is gone as one that it could not stop.
		_ = cp.env.Stop()
	}
	if cp.guard != nil {
		err = errors.Join(err, cp.guard.release())
	}
	if !cp.keep {
		err = errors.Join(err, os.RemoveAll(cp.Dir))
	}
	return err
}

// makeDir returns an absolute path of an empty directory.
func makeDir(named string) (string, error) {
	if named == "" {
		return os.MkdirTemp("", "ess-controlplane-")
	}
	if err := os.MkdirAll(named, 0o700); err != nil {
		return "", err
	}
	entries, err := os.ReadDir(named)
	if err != nil {
		return "", err
	}
	if len(entries) > 0 {
		return "", fmt.Errorf("%s holds files of something else, perhaps of an earlier run: remove them or name another directory", named)
	}
	return filepath.Abs(named)
}
