package resilience_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// process is a child as its parent sees it.
type process struct {
	t       *testing.T
	w       *world
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	answers chan string
	exited  chan struct{} // closed when it is gone and all it said was read

	mu      sync.Mutex
	writes  []string
	refused []string
	log     strings.Builder
}

// start starts a manager for the namespace of w. It is killed at the end of the test.
func (w *world) start(changes ...func(*childSettings)) *process {
	w.t.Helper()
	settings := childSettings{Kubeconfig: w.plane.Kubeconfig, Namespace: w.namespace, Name: "manager"}
	for _, change := range changes {
		change(&settings)
	}
	encoded, err := json.Marshal(settings)
	if err != nil {
		w.t.Fatal(err)
	}
	p := &process{t: w.t, w: w, cmd: exec.Command(os.Args[0]), answers: make(chan string, 1), exited: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), childVariable+"="+string(encoded))
	p.cmd.Stderr = p
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		w.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go p.listen(stdout)
	w.t.Cleanup(p.end)
	return p
}

// listen reads what the child says until it is gone.
func (p *process) listen(stdout io.Reader) {
	defer close(p.exited)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		kind, rest, _ := strings.Cut(lines.Text(), " ")
		p.mu.Lock()
		switch kind {
		case "write":
			p.writes = append(p.writes, rest)
		case "refused":
			p.refused = append(p.refused, rest)
		case "answer":
			p.answers <- rest
		}
		p.mu.Unlock()
	}
	_ = p.cmd.Wait() // how it ended is in ProcessState
}

// Write collects the log of the child.
func (p *process) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(text)
}

// logged is all that the child has logged so far.
func (p *process) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// settled are the labels of all writes that the child has begun, in their order. What it
// says comes in order, so that all of it was read when the answer to a command comes.
func (p *process) settled() []string {
	p.t.Helper()
	p.order("nothing")
	return p.written()
}

// written are the labels of the writes that were read so far, in their order.
func (p *process) written() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.writes)
}

// tell gives a command and returns the answer.
func (p *process) tell(command string) string {
	p.t.Helper()
	if _, err := io.WriteString(p.stdin, command+"\n"); err != nil {
		p.t.Fatalf("telling the manager to %q: %v\n%s", command, err, p.logged())
	}
	select {
	case answer := <-p.answers:
		return answer
	case <-p.exited:
		p.t.Fatalf("the manager ended (%s) instead of answering %q:\n%s", p.cmd.ProcessState, command, p.logged())
	case <-time.After(patience):
		p.t.Fatalf("the manager did not answer %q:\n%s", command, p.logged())
	}
	return ""
}

// order gives a command that has no answer but that it was done.
func (p *process) order(command string) {
	p.t.Helper()
	if answer := p.tell(command); answer != "done" {
		p.t.Fatalf("telling the manager to %q: %s", command, answer)
	}
}

// arm makes the child die at a point.
func (p *process) arm(point crashPoint) {
	p.t.Helper()
	encoded, err := json.Marshal(point)
	if err != nil {
		p.t.Fatal(err)
	}
	p.order("arm " + string(encoded))
}

// step pushes the clock of the child forward.
func (p *process) step(d time.Duration) {
	p.t.Helper()
	p.order("step " + d.String())
}

// dies waits until the child has killed itself.
func (p *process) dies() {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.t.Fatalf("the manager did not come to the point where it dies; it wrote %q", p.written())
	}
	if status := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGKILL {
		p.t.Fatalf("the manager ended by itself (%s):\n%s", p.cmd.ProcessState, p.logged())
	}
}

// gone reports whether the child has ended.
func (p *process) gone() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// kill kills the child and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may be gone already
	<-p.exited
}

// end kills the child, and looks at what it leaves behind. A child is an
// administrator, whom the API server refuses only what cannot be, such as an
// event in a namespace that is going away. Of that the child learns by a watch, so that
// it may try one before it knows.
func (p *process) end() {
	p.kill()
	refused, log := p.refused, p.logged()
	told := log
	if p.w.going() {
		refused = slices.DeleteFunc(refused, func(request string) bool {
			return request == "POST /apis/events.k8s.io/v1/namespaces/"+p.w.namespace+"/events"
		})
		told = strings.Join(slices.DeleteFunc(strings.SplitAfter(log, "\n"), func(line string) bool {
			return strings.Contains(line, "in namespace "+p.w.namespace+" because it is being terminated")
		}), "")
	}
	if len(refused) > 0 {
		p.t.Errorf("the API server refused %q", refused)
	}
	for _, never := range []string{"DATA RACE", "panic:", "Observed a panic", "rejected event", appSecret, "Bearer "} {
		if strings.Contains(told, never) {
			p.t.Errorf("the log of the manager holds %q:\n%s", never, log)
		}
	}
	if p.t.Failed() {
		p.t.Logf("log of the manager:\n%s", log)
	}
}

// going reports whether the namespace of the test is going away, or gone.
func (w *world) going() bool {
	w.t.Helper()
	namespace := w.ownNamespace()
	// The context of the test has ended.
	err := w.plane.client.Get(context.Background(), client.ObjectKeyFromObject(namespace), namespace)
	w.Expect(client.IgnoreNotFound(err)).To(gomega.Succeed())
	return err != nil || !namespace.DeletionTimestamp.IsZero()
}
