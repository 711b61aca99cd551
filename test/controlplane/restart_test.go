package controlplane_test

import (
	"context"
	"strings"
	"testing"

	"github.com/ess-operator/ess-operator/test/controlplane"
)

func TestRestartedProgramsKeepWhatWasStored(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]func(*controlplane.ControlPlane, context.Context) error{
		"etcd":           (*controlplane.ControlPlane).RestartEtcd,
		"kube-apiserver": (*controlplane.ControlPlane).RestartAPIServer,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cp := start(t, controlplane.Options{WithoutControllers: true})
			before := pidsOf(t, cp.Dir)
			must(t, cp, "create", "configmap", "kept")

			for range 2 { // what was restarted can be restarted
				if err := restart(cp, t.Context()); err != nil {
					t.Fatal(err)
				}
				must(t, cp, "get", "configmap", "kept")
			}

			after := pidsOf(t, cp.Dir)
			if left := alive(before); len(left) != 1 {
				t.Errorf("of the processes %v %v are left, want one", before, left)
			}
			if err := cp.Stop(); err != nil {
				t.Fatal(err)
			}
			if left := alive(after); len(left) > 0 {
				t.Errorf("Stop leaves the processes %v, which were restarted", left)
			}
		})
	}
}

func TestRestartSaysWhatDoesNotRun(t *testing.T) {
	t.Parallel()
	cp := start(t, controlplane.Options{WithoutControllers: true})
	for _, pid := range pidsOf(t, cp.Dir) {
		if pid <= 0 {
			t.Fatalf("a process id is %d", pid)
		}
	}
	if err := cp.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := cp.RestartEtcd(t.Context()); err == nil || !strings.Contains(err.Error(), "restarting etcd") {
		t.Errorf("RestartEtcd() after Stop = %v, want an error that says what it could not do", err)
	}
}
