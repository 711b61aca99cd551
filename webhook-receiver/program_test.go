package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is for what must come. It says nothing of how fast that is, and is far
// beyond what the slowest machine takes.
const patience = 3 * time.Minute

// asProgram makes the test binary behave as the receiver, so that it can be watched from outside: its
// signals and its exit status.
const asProgram = "ESS_OPERATOR_TEST_AS_RECEIVER"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// program is a receiver that runs.
type program struct {
	*testing.T
	command *exec.Cmd
	routes  string // path of the routes file
	lines   chan string
	ended   chan struct{}
}

func startProgram(t *testing.T, quiet string) *program {
	t.Helper()
	flags := files(t, "events: {listen: '127.0.0.1:0', drainQuietPeriod: "+quiet+"}\n", "subscriptions: []\n")
	p := &program{T: t, routes: flags[3], lines: make(chan string, 100), ended: make(chan struct{})}
	p.command = exec.CommandContext(t.Context(), os.Args[0], append(flags, "--log-format=text")...)
	p.command.Env = append(os.Environ(), asProgram+"=1")
	log, err := p.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for s := bufio.NewScanner(log); s.Scan(); {
			p.lines <- s.Text()
		}
		close(p.lines)
		_, _ = io.Copy(io.Discard, log) // a line that is too long
		_ = p.command.Wait()            // ProcessState tells
		close(p.ended)
	}()
	return p
}

// sees waits for a line of the log, and returns it.
func (p *program) sees(part string) string {
	p.Helper()
	deadline := time.After(patience)
	for {
		select {
		case line, more := <-p.lines:
			if strings.Contains(line, part) {
				return line
			}
			if !more {
				<-p.ended
				p.Fatalf("the program ended before it said %q: %v", part, p.command.ProcessState)
			}
		case <-deadline:
			p.Fatalf("the program does not say %q", part)
		}
	}
}

func (p *program) signal(s os.Signal) {
	p.Helper()
	if err := p.command.Process.Signal(s); err != nil {
		p.Fatal(err)
	}
}

// status waits for the end, and returns how it ended.
func (p *program) status() syscall.WaitStatus {
	p.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.Fatal("the program does not end")
	}
	return p.command.ProcessState.Sys().(syscall.WaitStatus)
}

func TestProgramServesAndDrains(t *testing.T) {
	t.Parallel()
	p := startProgram(t, "0s")
	_, rest, _ := strings.Cut(p.sees("serving the events port"), "address=")
	address, _, _ := strings.Cut(rest, " ")
	p.sees("the journal is open")
	if _, _, err := net.SplitHostPort(address); err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/events/a/b", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Errorf("an event of an unknown route is answered %d, Retry-After %q", response.StatusCode, response.Header.Get("Retry-After"))
	}
	p.signal(syscall.SIGTERM)
	p.sees("ended: what was acknowledged is on disk")
	if got := p.status(); got.ExitStatus() != 0 {
		t.Errorf("after SIGTERM it ends with %d", got)
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	p := startProgram(t, "5m")
	p.sees("the journal is open")
	p.signal(syscall.SIGTERM)
	p.sees("draining")
	p.signal(syscall.SIGTERM)
	if got := p.status(); !got.Signaled() || got.Signal() != syscall.SIGTERM {
		t.Errorf("after the second SIGTERM it ends with %v, want by that signal", got)
	}
}

func TestHangupReloads(t *testing.T) {
	t.Parallel()
	p := startProgram(t, "0s")
	p.sees("the journal is open")
	if err := os.WriteFile(p.routes, []byte("subscriptions: [{namespace: a, name: b, source: 'https://us.example.com'}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	p.sees("file=routes")
	p.signal(os.Interrupt)
	if got := p.status(); got.ExitStatus() != 0 {
		t.Errorf("after SIGINT it ends with %d", got)
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for want, args := range map[int][]string{
		0: {"--version"},
		1: {"--config", filepath.Join(t.TempDir(), "none.yaml")},
		2: {"--nonsense"},
	} {
		command := exec.CommandContext(t.Context(), os.Args[0], args...)
		command.Env = append(os.Environ(), asProgram+"=1")
		out, err := command.CombinedOutput()
		if got := command.ProcessState.ExitCode(); got != want {
			t.Errorf("%q ends with %d (%v), want %d:\n%s", args, got, err, want, out)
		}
	}
}
