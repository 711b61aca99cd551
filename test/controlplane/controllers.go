package controlplane

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// controllers are those that the package comment promises. The others would only
// cost memory and start-up time, having no nodes to work with.
var controllers = []string{
	"clusterrole-aggregation-controller",
	"garbage-collector-controller",
	"namespace-controller",
	"persistentvolumeclaim-protection-controller",
	"serviceaccount-controller",
}

// startControllers starts kube-controller-manager and waits until it works.
func (cp *ControlPlane) startControllers(ctx context.Context) error {
	path, log, err := cp.guard.program(controllerManager, cp.AssetsDir)
	if err != nil {
		return err
	}
	cmd := exec.Command(path,
		"--kubeconfig="+cp.Kubeconfig,
		"--controllers="+strings.Join(controllers, ","),
		"--leader-elect=false",
		"--secure-port=0", // serves nothing, so needs no free port
		"--min-resync-period=1h",
	)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended is in cmd.ProcessState
		close(exited)
	}()

	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	working := make(chan error, 1)
	go func() { working <- cp.waitForControllers(ctx) }()
	select {
	case err = <-working:
	case <-exited:
		err = fmt.Errorf("it ended at once, with %s", cmd.ProcessState)
	}
	if err != nil {
		return fmt.Errorf("starting %s: %w\n%s", controllerManager, err, cp.guard.logTails(controllerManager))
	}
	return nil
}

// waitForControllers waits for the work of one of them: the service account that
// every namespace gets.
func (cp *ControlPlane) waitForControllers(ctx context.Context) error {
	c, err := client.New(cp.Config, client.Options{})
	if err != nil {
		return err
	}
	key := client.ObjectKey{Namespace: corev1.NamespaceDefault, Name: "default"}
	return wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		err := c.Get(ctx, key, &corev1.ServiceAccount{})
		return err == nil, client.IgnoreNotFound(err)
	})
}
