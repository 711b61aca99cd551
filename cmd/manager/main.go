// Command manager is the operator: it reconciles ConcurConnections,
// EventSubscriptions and ApplicationConnectors. Run it in a cluster with the manifests in config/, or
// outside with --kubeconfig. `manager --help` explains every flag.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/debug"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers"
	"github.com/ess-operator/ess-operator/controllers/access"
	"github.com/ess-operator/ess-operator/internal/version"
)

// +kubebuilder:rbac:groups=authentication.k8s.io,resources=tokenreviews,verbs=create
// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews,verbs=create

func main() {
	collectEarly()
	options, err := parse(flag.CommandLine, os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "manager:", err)
		os.Exit(2)
	case options.version:
		fmt.Println("manager", version.String())
		return
	}
	switch err := run(ctrl.SetupSignalHandler(), options); {
	case errors.Is(err, access.ErrGranted):
		ctrl.Log.Info("stopping, to be started again", "reason", err.Error())
	case err != nil:
		ctrl.Log.Error(err, "stopping")
		os.Exit(1)
	}
}

// collectEarly keeps the garbage of the operator small: it has next to nothing
// to do with its processor, and thousands of objects in memory. GOGC still decides.
func collectEarly() {
	const percent = 50 // of what is in use, where Go lets it grow to 100
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

// run starts the operator and returns when ctx ends or a part fails.
func run(ctx context.Context, o options) error {
	o.setLogger(os.Stderr)
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return fmt.Errorf("building the scheme: %w", err)
		}
	}
	if err := metrics.Registry.Register(build()); err != nil {
		return fmt.Errorf("registering the metric of the build: %w", err)
	}
	mgr, err := o.connect(ctx, scheme)
	if err != nil {
		return err
	}
	if err := controllers.Setup(ctx, mgr, o.controllers); err != nil {
		return err
	}
	if err := errors.Join(mgr.AddHealthzCheck("healthz", healthz.Ping), mgr.AddReadyzCheck("readyz", cacheSynced(ctx, mgr))); err != nil {
		return fmt.Errorf("adding health checks: %w", err)
	}
	ctrl.Log.Info("starting", "version", version.String(), "allowedHosts", o.controllers.AllowedHosts, "receiverURL", o.controllers.ReceiverURL)
	return mgr.Start(ctx)
}

// connect makes the controller-runtime manager for the cluster and the namespaces in
// which there is something that it may do.
func (o *options) connect(ctx context.Context, scheme *runtime.Scheme) (ctrl.Manager, error) {
	config, err := ctrl.GetConfig()
	if err != nil {
		return nil, fmt.Errorf("finding the cluster (set --kubeconfig outside one): %w", err)
	}
	config.UserAgent = controllers.Name + "/" + version.String()
	reviews, err := reviewer(config)
	if err != nil {
		return nil, err
	}
	if err := o.leaveOut(ctx, reviews); err != nil {
		return nil, err
	}
	mgr, err := ctrl.NewManager(config, o.manager(scheme))
	if err != nil {
		return nil, fmt.Errorf("connecting to the cluster: %w", err)
	}
	if len(o.controllers.LeftOut) == 0 {
		return mgr, nil
	}
	if err := mgr.Add(&access.Waiter{Reviews: reviews, LeftOut: o.controllers.LeftOut}); err != nil {
		return nil, fmt.Errorf("adding what waits for permissions: %w", err)
	}
	return mgr, nil
}
