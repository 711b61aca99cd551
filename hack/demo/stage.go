package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ess-operator/ess-operator/test/controlplane"
)

const (
	// patience is how long anything may take to become visible.
	patience = 90 * time.Second
	// stopTime is how long a program may take to stop before it is killed.
	stopTime = 10 * time.Second
)

// stage holds what the scenes share.
type stage struct {
	dir   string
	plane *controlplane.ControlPlane
	scene int

	emulator      address // Concur's face
	admin         address // the emulator's admin API
	receiver      address // where events come in
	receiverAdmin address
	sink          sink
	unmount       func() // ends the mounting of the Secrets

	programs []*program
}

// address is a loopback address with a free port.
type address string

// program is a child process with its output in a file.
type program struct {
	cmd  *exec.Cmd
	log  string
	done chan error
}

func newStage() (*stage, error) {
	dir, err := os.MkdirTemp("", "ess-operator-demo-")
	if err != nil {
		return nil, fmt.Errorf("making a directory: %w", err)
	}
	s := &stage{dir: dir}
	for _, a := range []*address{&s.emulator, &s.admin, &s.receiver, &s.receiverAdmin, &s.sink.address} {
		if *a, err = freeAddress(); err != nil {
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
	}
	return s, nil
}

// freeAddress finds a port that nobody listens on now.
func freeAddress() (address, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("finding a free port: %w", err)
	}
	return address(l.Addr().String()), l.Close()
}

// path is a file of the stage.
func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

// title opens a scene.
func (s *stage) title(what string) {
	s.scene++
	text := fmt.Sprintf("%d. %s", s.scene, what)
	if info, err := os.Stdout.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		text = "\033[1m" + text + "\033[0m" // bold, for a terminal
	}
	fmt.Printf("\n%s\n", text)
}

// start runs one of our programs until the stage is closed.
func (s *stage) start(name string, args ...string) error {
	shown := strings.Join(args, " \\\n      ")
	fmt.Printf("  $ bin/%s %s\n", name, shown)
	log, err := os.Create(s.path(name + ".log"))
	if err != nil {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	defer func() { _ = log.Close() }() // the child has its own handle
	p := &program{cmd: exec.Command(filepath.Join("bin", name), args...), log: log.Name(), done: make(chan error, 1)}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	// A group of its own keeps Ctrl-C to us, and the death signal leaves nothing behind if we are killed.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("starting %s (run the demo with: make demo): %w", name, err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	s.programs = append(s.programs, p)
	return nil
}

// stop asks a program to end, and insists after stopTime.
func (p *program) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case err := <-p.done:
		if err != nil {
			return fmt.Errorf("%s ended with %w; its log ends:\n%s", p.cmd.Path, err, tail(p.log))
		}
		return nil
	case <-time.After(stopTime):
		return errors.Join(fmt.Errorf("%s did not stop in %s", p.cmd.Path, stopTime), p.cmd.Process.Kill())
	}
}

// close stops everything in the opposite order, and removes the files.
func (s *stage) close() error {
	if s.unmount != nil {
		s.unmount()
	}
	errs := []error{s.sink.close()}
	for i := len(s.programs) - 1; i >= 0; i-- {
		errs = append(errs, s.programs[i].stop())
	}
	if s.plane != nil {
		errs = append(errs, s.plane.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}

// kubectl runs kubectl, showing the command and what it prints.
func (s *stage) kubectl(ctx context.Context, args ...string) error {
	fmt.Printf("  $ kubectl %s\n", quoted(args))
	out, err := s.plane.Kubectl(ctx, args...)
	if err != nil {
		return err
	}
	fmt.Println(indent(string(out)))
	return nil
}

// quoted writes arguments as a shell would take them.
func quoted(args []string) string {
	shown := make([]string, 0, len(args))
	for _, a := range args {
		if !strings.HasPrefix(a, "--") { // our flags hold nothing that a shell takes apart
			a = word(a)
		}
		shown = append(shown, a)
	}
	return strings.Join(shown, " ")
}

// word writes a text as a shell takes it for one word. No text of the demo has a quote in it.
func word(text string) string {
	if strings.ContainsAny(text, " {}\"*?=[]") {
		return "'" + text + "'"
	}
	return text
}

// until polls until check answers nil, or tells what it last said.
func (s *stage) until(ctx context.Context, what string, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w; %w", what, ctx.Err(), err)
		case <-tick.C:
		}
	}
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ")
}

// tail is the end of a log.
func tail(file string) string {
	const lines = 15
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return indent(strings.Join(all[max(0, len(all)-lines):], "\n"))
}
