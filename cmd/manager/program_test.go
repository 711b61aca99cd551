package main

import (
	"context"
	"flag"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/test/controlplane"
)

// TestProgram runs the manager on a real API server: it becomes ready, serves
// metrics, takes the Lease, and stops when it is told to.
func TestProgram(t *testing.T) {
	plane, err := controlplane.Start(t.Context(), controlplane.Options{CRDDirs: []string{"config/crd/bases"}, WithoutControllers: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("KUBECONFIG", plane.Kubeconfig)
	probes, metrics := freeAddress(t), freeAddress(t)
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	o, err := parse(flags, []string{
		"--health-probe-bind-address=" + probes, "--metrics-bind-address=" + metrics, "--metrics-secure=false",
		"--leader-elect", "--leader-election-namespace=default", "--log-level=error",
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	stopped := make(chan error, 1)
	go func() { stopped <- run(ctx, o) }()

	eventually(t, "http://"+probes+"/readyz", "ok")
	eventually(t, "http://"+probes+"/healthz", "ok")
	eventually(t, "http://"+metrics+"/metrics", "leader_election_master_status{name=\"manager.concur.ess-operator.io\"} 1")
	stop()
	select {
	case err := <-stopped:
		if err != nil {
			t.Errorf("stopping: %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("did not stop within a minute")
	}
}

// eventually waits until a page holds a text.
func eventually(t *testing.T, url, want string) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	last := ""
	for {
		select {
		case <-deadline:
			t.Fatalf("%s does not say %q but %q", url, want, last)
		case <-tick.C:
		}
		answer, err := http.Get(url)
		if err != nil {
			last = err.Error()
			continue
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if last = string(body); err == nil && strings.Contains(last, want) {
			return
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
