package argocd_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	patience = 2 * time.Minute
	glance   = 200 * time.Millisecond
)

// program is a process with its log in a file. It goes with this one, however that ends.
type program struct {
	name string
	cmd  *exec.Cmd
	log  string
	gone chan struct{}
}

// launch starts a program in a directory, with nothing of the caller's environment.
func launch(dir, name string, environment []string, command ...string) (*program, error) {
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own handle
	p := &program{name: name, cmd: exec.Command(command[0], command[1:]...), log: log.Name(), gone: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = dir, environment, log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is in ProcessState
		close(p.gone)
	}()
	return p, nil
}

// await waits until a URL answers 200, or fails once the program is gone.
func (p *program) await(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(request)
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-p.gone:
			return fmt.Errorf("%s ended (%s):\n%s", p.name, p.cmd.ProcessState, p.tail())
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w\n%s", p.name, ctx.Err(), p.tail())
		case <-tick.C:
		}
	}
}

// stop asks the program to end, and kills it if it does not.
func (p *program) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-p.gone:
	case <-time.After(10 * time.Second):
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.gone
	}
}

// tail is the end of the log.
func (p *program) tail() string {
	const length = 4000
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-length):])
}

// freePorts finds ports that nobody listens on now.
func freePorts(count int) ([]string, error) {
	ports := make([]string, count)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("finding a free port: %w", err)
		}
		defer l.Close() // only when all are found, so that they differ
		_, ports[i], _ = net.SplitHostPort(l.Addr().String())
	}
	return ports, nil
}
