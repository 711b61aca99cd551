package receiver_test

import (
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is one life of the receiver.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	exited chan struct{}

	mu  sync.Mutex
	log strings.Builder
}

// start starts the receiver in the folder that holds its files.
func (w *world) start() *process {
	w.t.Helper()
	p := &process{t: w.t, cmd: exec.Command(program, "--config", "config.yaml", "--routes", "routes.yaml"), exited: make(chan struct{})}
	p.cmd.Dir = w.dir
	p.cmd.Stderr, p.cmd.Stdout = p, p
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is in ProcessState
		close(p.exited)
	}()
	w.t.Cleanup(p.end)
	return p
}

// run is start, and waits until the receiver is ready.
func (w *world) run() *process {
	w.t.Helper()
	p := w.start()
	for deadline := time.Now().Add(patience); ; {
		if status := w.admin(http.MethodGet, "/readyz", nil); status == http.StatusOK {
			return p
		}
		if p.gone() || time.Now().After(deadline) {
			w.t.Fatalf("the receiver did not become ready:\n%s", p.logged())
		}
		<-time.After(glance)
	}
}

// Write collects the log.
func (p *process) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(text)
}

func (p *process) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

func (p *process) gone() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// kill ends the receiver as a loss of power would, as far as the process goes.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may be gone already
	<-p.exited
}

// terminate asks it to end as Kubernetes does, and returns its exit code.
func (p *process) terminate() int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatalf("terminating the receiver: %v\n%s", err, p.logged())
	}
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.t.Fatalf("the receiver did not end:\n%s", p.logged())
	}
	return p.cmd.ProcessState.ExitCode()
}

// end kills the receiver and looks at what it has said.
func (p *process) end() {
	p.kill()
	log := p.logged()
	for _, never := range []string{"DATA RACE", "panic:", "goroutine ", adminToken, "Bearer "} {
		if strings.Contains(log, never) {
			p.t.Errorf("the log holds %q:\n%s", never, log)
		}
	}
	if p.t.Failed() {
		p.t.Logf("log of the receiver:\n%s", log)
	}
}
