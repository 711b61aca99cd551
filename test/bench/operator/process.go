package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	patience = 5 * time.Minute
	glance   = 20 * time.Millisecond
)

// manager is the operator as a process.
type manager struct {
	cmd     *exec.Cmd
	log     string
	probe   string // addresses
	metrics string
	ended   chan struct{} // closed when it is gone
}

// startManager starts the operator; it does not wait until it is ready.
func (b *bench) startManager(args ...string) (*manager, error) {
	m := &manager{ended: make(chan struct{})}
	var err error
	for _, address := range []*string{&m.probe, &m.metrics} {
		if *address, err = freeAddress(); err != nil {
			return nil, err
		}
	}
	b.started++
	m.log = filepath.Join(b.dir, fmt.Sprintf("manager-%d.log", b.started))
	log, err := os.Create(m.log)
	if err != nil {
		return nil, fmt.Errorf("starting the manager: %w", err)
	}
	defer func() { _ = log.Close() }() // the child has its own handle
	m.cmd = exec.Command(b.sizes.manager, append([]string{
		"--kubeconfig=" + b.plane.Kubeconfig, "--allowed-hosts=127.0.0.1", "--log-level=warn",
		"--health-probe-bind-address=" + m.probe, "--metrics-bind-address=" + m.metrics, "--metrics-secure=false",
	}, args...)...)
	m.cmd.Stdout, m.cmd.Stderr = log, log
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := m.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the manager (run: make bench-operator): %w", err)
	}
	go func() {
		_ = m.cmd.Wait() // how it ended is in its log
		close(m.ended)
	}()
	b.managers = append(b.managers, m)
	return m, nil
}

// ready waits until the manager says that it is.
func (m *manager) ready(ctx context.Context) error {
	return until(ctx, "the manager to be ready, see "+m.log, func() (bool, error) {
		answer, err := http.Get("http://" + m.probe + "/readyz")
		if err != nil {
			return false, nil //nolint:nilerr // it does not listen yet
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK, nil
	})
}

// stop sends a signal and waits for the end. It may be called again.
func (m *manager) stop(signal syscall.Signal) error {
	if err := m.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping the manager: %w", err)
	}
	select {
	case <-m.ended:
		return nil
	case <-time.After(time.Minute):
		return errors.Join(errors.New("stopping the manager: it still runs after a minute"), m.cmd.Process.Kill())
	}
}

// memory returns a line of /proc/PID/status, such as VmRSS, in megabytes.
func (m *manager) memory(name string) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", m.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("reading the memory of the manager: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == name+":" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			return kib * 1024 / 1e6, err
		}
	}
	return 0, fmt.Errorf("reading the memory of the manager: no %s", name)
}

// processor returns the CPU time that the manager has used.
func (m *manager) processor() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", m.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("reading the processor time of the manager: %w", err)
	}
	_, numbers, _ := strings.Cut(string(text), ") ") // the name before may hold spaces
	fields := strings.Fields(numbers)
	var ticks int64
	for _, field := range fields[11:13] { // utime and stime, see proc(5)
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("reading the processor time of the manager: %w", err)
		}
		ticks += n
	}
	const perSecond = 100 // USER_HZ, on every Linux
	return time.Duration(ticks) * time.Second / perSecond, nil
}

// sum scrapes the metrics and adds up the values of one.
func (m *manager) sum(name string) (float64, error) {
	answer, err := http.Get("http://" + m.metrics + "/metrics")
	if err != nil {
		return 0, fmt.Errorf("reading metrics: %w", err)
	}
	defer answer.Body.Close()
	total := 0.
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		sample, value, _ := strings.Cut(lines.Text(), " ")
		if plain, _, _ := strings.Cut(sample, "{"); plain != name {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("reading metric %s: %w", name, err)
		}
		total += n
	}
	return total, nil
}

// freeAddress finds a loopback port that nobody listens on now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("finding a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// until polls until check says yes.
func until(ctx context.Context, what string, check func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("waiting for %s: not within %s", what, patience))
	defer cancel()
	for {
		if done, err := check(); done || err != nil {
			return err
		}
		if err := pause(ctx, glance); err != nil {
			return err
		}
	}
}

// pause does nothing for a while.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
