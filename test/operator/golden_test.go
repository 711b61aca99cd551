package operator_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/onsi/gomega"
)

// update writes the golden logs instead of comparing with them:
// go test ./test/operator -run TestGoldenCalls -update.
var update = flag.Bool("update", false, "write testdata/golden instead of comparing with it")

// transcript collects every call that ESS and the token service get, in order,
// under headings that say what happened before.
type transcript struct {
	w    *world
	text strings.Builder
}

// skip forgets the calls so far: another scenario is about them.
func (s *transcript) skip() {
	s.w.t.Helper()
	s.quiet()
	s.w.ess.ResetRequests()
}

// step does something, waits until done holds and no call follows, and notes the calls.
func (s *transcript) step(heading string, do, done func()) {
	s.w.t.Helper()
	do()
	done()
	s.quiet()
	s.text.WriteString("# " + heading + "\n")
	for _, r := range s.w.ess.Requests() {
		s.text.WriteString(strings.ReplaceAll(r.String(), s.w.namespace+".", "") + "\n")
	}
	s.w.ess.ResetRequests()
}

// silence is how long no call must come for the calls of a step to be complete.
const silence = time.Second

// quiet waits until calls have ceased, so that one too many is not missed by being late.
func (s *transcript) quiet() {
	s.w.t.Helper()
	last, since := -1, time.Now()
	s.w.Eventually(func() time.Duration {
		if n := len(s.w.ess.Requests()); n != last {
			last, since = n, time.Now()
		}
		return time.Since(since)
	}).Should(gomega.BeNumerically(">=", silence))
}

// gets is a condition of a step: that many calls about single subscriptions were answered.
func (s *transcript) gets(n int) func() {
	return func() {
		s.w.t.Helper()
		s.w.Eventually(func() int { return len(s.w.calls(writesAndReads...)) }).Should(gomega.Equal(n))
	}
}

// compare holds the transcript against the golden one.
func (s *transcript) compare(name string) {
	s.w.t.Helper()
	path := filepath.Join("testdata", "golden", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(s.text.String()), 0o600); err != nil {
			s.w.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		s.w.t.Fatalf("%v; if the scenario is new, run with -update and read what it writes", err)
	}
	if diff := cmp.Diff(string(want), s.text.String()); diff != "" {
		s.w.t.Errorf("calls (-want +got); run with -update if they are meant to change:\n%s", diff)
	}
}

// TestGoldenCalls holds the exact calls of each scenario against text, so that
// one call too many is a difference that somebody has to look at.
func TestGoldenCalls(t *testing.T) {
	t.Parallel()
	for name, play := range goldenScenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &transcript{w: newWorld(t, goldenAssumptions(name))}
			play(s)
			s.compare(name)
		})
	}
}

func TestEveryGoldenLogHasAScenario(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/golden/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(goldenScenarios) {
		t.Errorf("%d golden logs for %d scenarios", len(files), len(goldenScenarios))
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		if _, ok := goldenScenarios[name]; !ok {
			t.Errorf("no scenario writes %s", file)
		}
	}
}

// resyncSoon is the shortest interval that a connection on loopback may have.
const resyncSoon = 10 * time.Second
