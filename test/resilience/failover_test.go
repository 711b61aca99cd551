package resilience_test

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// leader makes a child work only while it holds the lease.
func leader(name string) func(*childSettings) {
	return func(s *childSettings) { s.Name, s.Lease = name, true }
}

func TestFailOverInTheMiddleOfWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t, suite)
	first := w.start(leader("first"))
	w.connect()
	second := w.start(leader("second"))
	w.Eventually(second.logged).Should(gomega.ContainSubstring("Attempting to acquire leader lease"))

	names := []string{"a", "b", "c", "d", "e"}
	w.ess.InjectFault(essemulator.Fault{Operation: essemulator.OpPut, Delay: 200 * time.Millisecond})
	first.arm(crashPoint{Write: "PUT c", Occurrence: 1, After: true})
	for _, name := range names {
		w.subscription(name)
	}
	first.dies()
	if writes := second.written(); len(writes) > 0 {
		t.Errorf("before the leader was dead, the other one wrote %q", writes)
	}
	for _, name := range names {
		sub := w.reports()
		sub.Name = name
		w.eventuallySubscribed(sub)
	}
	w.settleUsage(int32(len(names)))
	w.Expect(w.held()).To(gomega.HaveLen(len(names)))
	w.expectBoundedPuts(names)
	w.expectOneAfterTheOther("first", "second")
}

// expectBoundedPuts holds the PUTs of each subscription to one before the
// fail-over and one after it.
func (w *world) expectBoundedPuts(names []string) {
	w.t.Helper()
	puts := map[string]int{}
	for _, call := range w.calls(essemulator.OpPut) {
		puts[strings.Fields(call)[1]]++
	}
	for _, name := range names {
		if puts[name] < 1 || puts[name] > 2 {
			w.t.Errorf("%d PUTs of %s, want 1, or 2 when the first was cut off", puts[name], name)
		}
	}
}

// expectOneAfterTheOther fails when ESS was called by one manager after another had begun.
func (w *world) expectOneAfterTheOther(managers ...string) {
	w.t.Helper()
	var callers []string
	for _, r := range w.ess.Requests() {
		callers = append(callers, r.Header.Get(managerHeader))
	}
	if got := slices.Compact(callers); !slices.Equal(got, managers) {
		w.t.Errorf("ESS was called by %v, want %v", got, managers)
	}
}

func TestALeaderThatHungDoesNotComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, suite)
	first := w.start(leader("first"))
	w.connect()
	sub := w.subscribe("reports")
	w.settleUsage(1)
	w.ess.ResetRequests()

	w.Expect(first.cmd.Process.Signal(syscall.SIGSTOP)).To(gomega.Succeed())
	w.start(leader("second"))
	w.change(sub, func() { sub.Spec.Filter = "reportCreated" })
	w.eventuallySubscribed(sub)
	w.Expect(first.cmd.Process.Signal(syscall.SIGCONT)).To(gomega.Succeed())
	w.Eventually(first.exited).Should(gomega.BeClosed(), "a manager that lost its lease has to end")
	if code := first.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("it ended with %d, want 1, so that it is started again:\n%s", code, first.logged())
	}
	w.request(sub, "read again")
	w.eventuallySubscribed(sub)
	w.Expect(w.held()).To(gomega.Equal([]string{"reports reportCreated"}))
	w.Expect(w.calls(essemulator.OpPut)).To(gomega.Equal([]string{"PUT reports 200"}))
}
