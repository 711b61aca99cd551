package journal

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// child starts this test binary as another program.
func child(t *testing.T, what, path string, more ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(append(os.Environ(), "JOURNAL_CHILD="+what, "JOURNAL_PATH="+path), more...)
	c.Stderr = os.Stderr
	return c
}

// loaded is the nth event of a round, of a size that has it span pages now and then.
func loaded(round string, n int) event.Entry {
	id := fmt.Sprintf("%s-%06d", round, n)
	e := entry(reports, id)
	e.Event.Body = bytes.Repeat([]byte(id), 1+n%7*90)
	if n%4 == 0 {
		e.OrderKey = strconv.Itoa(n % 3)
	}
	return e
}

// say writes a line in one write.
func say(format string, args ...any) { _, _ = fmt.Fprintf(os.Stdout, format+"\n", args...) }

// loadChild appends, claims, settles and replays until it is killed, and says what was confirmed.
func loadChild() {
	j, err := Open(Options{Path: os.Getenv("JOURNAL_PATH"), MaxSize: 1 << 30, Logger: quiet()})
	if err != nil {
		say("failed %v", err)
		return
	}
	round := os.Getenv("JOURNAL_ROUND")
	ctx := context.Background()
	go func() { _ = j.Run(ctx) }()
	var all sync.WaitGroup
	for sender := range 8 {
		all.Go(func() {
			for n := sender; ; n += 8 {
				// Every event is sent twice, as ESS may.
				for range 2 {
					if _, err := j.Append(ctx, loaded(round, n)); err != nil {
						say("failed %v", err)
						return
					}
				}
				say("acked %d", n)
			}
		})
	}
	all.Go(func() { deliverForever(j) })
	all.Wait()
}

// deliverForever settles whatever can be claimed.
func deliverForever(j *Journal) {
	for range j.Changed(reports) {
		records, _, err := j.Claim(reports, 20)
		if err != nil {
			say("failed %v", err)
			return
		}
		for i, r := range records {
			how := []event.Settlement{{}, {Error: "500"}, {Error: "503", RetryAt: start}}[i%3]
			if err := j.Settle(r.Seq, how); err != nil {
				say("failed %v", err)
				return
			}
			if i%3 == 0 {
				say("delivered %d", r.Seq)
			}
		}
	}
}

// TestKilledUnderLoadLosesNothing kills a process with SIGKILL at a random moment, JOURNAL_CRASH_ROUNDS times.
func TestKilledUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	rounds := 20
	if n, err := strconv.Atoi(os.Getenv("JOURNAL_CRASH_ROUNDS")); err == nil {
		rounds = n
	}
	if testing.Short() {
		rounds = min(rounds, 3)
	}
	path := filepath.Join(t.TempDir(), "journal.db")
	acked, delivered := map[string]event.Entry{}, map[uint64]bool{}
	for round := range rounds {
		kill(t, path, fmt.Sprint("r", round), acked, delivered)
		if round%10 == 9 || round == rounds-1 {
			survived(t, path, acked, delivered)
		}
	}
	t.Logf("%d rounds, %d confirmed events, %d confirmed deliveries", rounds, len(acked), len(delivered))
}

// kill runs a process until it has confirmed some events.
func kill(t *testing.T, path, round string, acked map[string]event.Entry, delivered map[uint64]bool) {
	t.Helper()
	c := child(t, "load", path, "JOURNAL_ROUND="+round)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	left := 1 + rand.IntN(150)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		n, err := strconv.Atoi(rest)
		switch {
		case err != nil:
			t.Errorf("the process says: %s", lines.Text())
		case word == "acked":
			e := loaded(round, n)
			acked[e.Event.ID] = e
		case word == "delivered":
			delivered[uint64(n)] = true
		}
		// What it said before it died counts, too.
		if left--; left == 0 {
			_ = c.Process.Kill()
		}
	}
	_ = c.Wait()
}

// survived wants every confirmed event once, byte for byte, and every confirmed delivery.
func survived(t *testing.T, path string, acked map[string]event.Entry, delivered map[uint64]bool) {
	t.Helper()
	if report, err := Check(path); err != nil || !report.Whole() {
		t.Fatalf("Check = %+v, %v", report, err)
	}
	b := open(t, func(o *Options) { o.Path = path })
	found := map[string]bool{}
	for seq, r := range b.content() {
		if found[r.Event.ID] {
			t.Errorf("event %s is there twice", r.Event.ID)
		}
		found[r.Event.ID] = true
		if e, ok := acked[r.Event.ID]; ok && sha256.Sum256(e.Event.Body) != sha256.Sum256(r.Event.Body) {
			t.Errorf("event %s is not what was stored", r.Event.ID)
		}
		if delivered[seq] && r.State != event.Delivered {
			t.Errorf("event %d was delivered and is %s", seq, r.State)
		}
	}
	b.close()
	missing := slices.DeleteFunc(slices.Sorted(maps.Keys(acked)), func(id string) bool { return found[id] })
	if len(missing) > 0 {
		t.Errorf("confirmed and lost: %q", missing)
	}
}

// limitChild appends until the kernel refuses to let the file grow.
func limitChild() {
	signal.Ignore(syscall.SIGXFSZ)
	j, err := Open(Options{Path: os.Getenv("JOURNAL_PATH"), MaxSize: 1 << 30, Logger: quiet()})
	if err != nil {
		say("failed %v", err)
		return
	}
	limit := syscall.Rlimit{Cur: 2 << 20, Max: 2 << 20}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		say("failed %v", err)
		return
	}
	for n := 0; ; n++ {
		if _, err := j.Append(context.Background(), loaded("limit", n)); err != nil {
			say("refused %v", err)
			return
		}
		say("acked %d", n)
	}
}

// TestFileThatCannotGrow lets a process run into its limit of the size of a file.
func TestFileThatCannotGrow(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	out, err := child(t, "limit", path).Output()
	if err != nil || !strings.Contains(string(out), "\nrefused storing event: "+event.ErrUnavailable.Error()) {
		t.Fatalf("the process ended with %v, and said: %.200s", err, out)
	}
	acked := map[string]event.Entry{}
	for n := range strings.Count(string(out), "acked ") {
		e := loaded("limit", n)
		acked[e.Event.ID] = e
	}
	survived(t, path, acked, nil)
}
