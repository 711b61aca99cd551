package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
)

// RestartAPIServer kills kube-apiserver, as a crash would, starts it again with
// the same arguments, and returns once it serves. Meanwhile requests fail, and
// all watches end.
func (cp *ControlPlane) RestartAPIServer(ctx context.Context) error {
	return cp.restart(ctx, apiServer)
}

// RestartEtcd kills etcd, as a crash would, starts it again on its data, and
// returns once the API server serves from it.
func (cp *ControlPlane) RestartEtcd(ctx context.Context) error { return cp.restart(ctx, etcd) }

func (cp *ControlPlane) restart(ctx context.Context, name string) error {
	pid, args, err := cp.find(name)
	if err != nil {
		return fmt.Errorf("restarting %s: %w", name, err)
	}
	if err := syscall.Kill(-pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("killing %s: %w", name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	err = wait.PollUntilContextCancel(ctx, 10*time.Millisecond, true, func(context.Context) (bool, error) {
		return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH), nil
	})
	if err != nil {
		return fmt.Errorf("waiting for the end of %s: %w", name, err)
	}
	if err := os.Remove(filepath.Join(cp.guard.pids, strconv.Itoa(pid))); err != nil {
		return fmt.Errorf("forgetting the process of %s: %w", name, err)
	}
	if err := cp.launch(name, args); err != nil {
		return fmt.Errorf("starting %s again: %w", name, err)
	}
	if err := cp.waitUntilServing(ctx); err != nil {
		return fmt.Errorf("waiting until %s works again: %w\n%s", name, err, cp.guard.logTails(name))
	}
	return nil
}

// find returns the process of a program and the arguments it was started with.
// The kernel knows both for certain, while envtest keeps them to itself.
func (cp *ControlPlane) find(name string) (pid int, args []string, err error) {
	pids, err := cp.guard.running()
	if err != nil {
		return 0, nil, err
	}
	for _, pid := range pids {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil {
			return 0, nil, err
		}
		words := strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")
		if filepath.Base(words[0]) == name {
			return pid, words[1:], nil
		}
	}
	return 0, nil, errors.New("it does not run")
}

// launch starts a program by way of the guard.
func (cp *ControlPlane) launch(name string, args []string) error {
	path, log, err := cp.guard.program(name, cp.AssetsDir)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }() // a process that nobody waits for never ends for good
	return nil
}

// waitUntilServing waits until the API server calls itself ready, which it does
// only while it reaches etcd.
func (cp *ControlPlane) waitUntilServing(ctx context.Context) error {
	client, err := discovery.NewDiscoveryClientForConfig(cp.Config)
	if err != nil {
		return err
	}
	return wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		err := client.RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
		return err == nil, nil // an error says that it is not there yet, which is what is waited for
	})
}
