package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// house keeps house once.
func (b *bench) house() {
	b.t.Helper()
	b.keepHouse(b.t.Context(), (&expiry{j: b.Journal}).some, b.forget, b.relieve)
}

// TestDuplicatesForTheWindow takes an id again after the window, and not before.
func TestDuplicatesForTheWindow(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.add(entry(reports, "a"))
	b.appends(entry(requests, "a"), event.Accepted) // another route
	b.clock.Step(96*time.Hour - time.Second)
	b.house()
	b.appends(entry(reports, "a"), event.Duplicate)
	b.reopen()
	b.appends(entry(reports, "a"), event.Duplicate)
	b.clock.Step(time.Second)
	b.appends(entry(reports, "a"), event.Accepted)
	b.house()
	b.appends(entry(reports, "a"), event.Duplicate)
	b.checked()
	b.reopen()
}

// TestClockJumps sets the clock while the journal runs and while it does not.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		jump   time.Duration
		again  time.Duration // how long after the restart the id is new
	}{
		"Back":    {"A clock that was set back ends no window and starts none.", -1000 * time.Hour, 96 * time.Hour},
		"Forward": {"A wrong date at start costs a day of the window.", 1000 * time.Hour, 72 * time.Hour},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			seq := b.add(entry(reports, "a"))
			b.claim(reports, "a")
			b.settle(seq, event.Settlement{Error: "503", RetryAt: b.clock.Now().Add(time.Minute)})
			b.close()
			b.clock.SetTime(b.clock.Now().Add(test.jump))
			j, err := Open(b.options)
			if err != nil {
				t.Fatal(err)
			}
			b.Journal = j
			b.house()
			b.clock.Step(test.again - time.Second)
			b.appends(entry(reports, "a"), event.Duplicate)
			b.clock.Step(time.Second)
			b.appends(entry(reports, "a"), event.Accepted)
			got := b.claim(reports, "a", "a")
			if age := b.clock.Now().Sub(got[0].Since); got[0].Seq != seq || age != 96*time.Hour {
				t.Errorf("%s Claimed %+v of age %s", test.reason, got, age)
			}
		})
	}
}

// TestClockSetBackWhileRunning must not keep a retry waiting until the clock has caught up.
func TestClockSetBackWhileRunning(t *testing.T) {
	t.Parallel()
	b := open(t)
	seq := b.add(entry(reports, "a"))
	b.claim(reports, "a")
	b.settle(seq, event.Settlement{Error: "503", RetryAt: b.clock.Now().Add(time.Minute)})
	b.clock.SetTime(start.Add(-1000 * time.Hour))
	_, next, err := b.Claim(reports, 1)
	if want := b.clock.Now().Add(time.Minute); err != nil || !next.Equal(want) {
		t.Errorf("next = %v, %v, want %v", next, err, want)
	}
	b.clock.Step(time.Minute)
	b.claim(reports, "a")
}

// TestRetention removes what is old, but nothing that is pending, and nothing silently that nobody got.
func TestRetention(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	registry := prometheus.NewRegistry()
	b := open(t, func(o *Options) { o.Logger, o.Registerer = slog.New(slog.NewTextHandler(&log, nil)), registry })
	for i, s := range []event.State{event.Pending, event.Stored, event.Quarantined, event.Pending, event.Pending} {
		e := entry(reports, fmt.Sprint(i))
		e.State = s
		b.appends(e, event.Accepted)
	}
	b.claim(reports, "0", "3", "4")
	b.settle(1, event.Settlement{})
	b.clock.Step(100 * time.Hour)
	b.settle(4, event.Settlement{Error: "400"})
	b.settle(5, event.Settlement{Error: "503", RetryAt: b.clock.Now()})
	b.clock.Step(68*time.Hour - time.Second)
	b.house()
	if n := len(b.content()); n != 5 {
		t.Fatalf("%d events are left before their time, want 5", n)
	}
	b.clock.Step(time.Second)
	b.house()
	if got := b.content(); len(got) != 2 || got[4].State != event.Dead || got[5].State != event.Pending {
		t.Errorf("left %+v, want the pending one, and the one that died later", got)
	}
	b.clock.Step(100 * time.Hour)
	b.house()
	if got := b.content(); len(got) != 1 || got[5].State != event.Pending {
		t.Errorf("left %+v, want what is pending", got)
	}
	told(t, registry, log.String())
	b.checked()
	b.reopen()
}

// TestRetentionPassesABacklogOnce has more to remove than one transaction does, behind events that stay: the search for
// more goes on behind them.
func TestRetentionPassesABacklogOnce(t *testing.T) {
	t.Parallel()
	const backlog, stored = 50, removeBatch + 20
	b := open(t)
	for i := range backlog + stored {
		e := entry(reports, fmt.Sprint(i))
		if i >= backlog {
			e.State = event.Stored
		}
		b.appends(e, event.Accepted)
	}
	b.clock.Step(168 * time.Hour)
	search := &expiry{j: b.Journal}
	for i, want := range []uint64{backlog + removeBatch, backlog + stored} {
		more, err := search.some(t.Context())
		if err != nil || more != (i == 0) || search.from != want+1 {
			t.Fatalf("search %d: more %v, %v, goes on at %d, want %d", i, more, err, search.from, want+1)
		}
	}
	if n := len(b.content()); n != backlog {
		t.Errorf("%d events are left, want the %d that are pending", n, backlog)
	}
	b.checked()
}

// told wants one removed event of each state in the metric, and in the log unless it was delivered.
func told(t *testing.T, registry *prometheus.Registry, log string) {
	t.Helper()
	for _, state := range []event.State{event.Delivered, event.Stored, event.Quarantined, event.Dead} {
		if n := removed(t, registry, state); n != 1 {
			t.Errorf("the metric counts %v removed %s", n, state)
		}
		told := strings.Contains(log, "state="+string(state)+" route=subscription/finance/reports events=1")
		if told != (state != event.Delivered) {
			t.Errorf("that a %s event was removed is logged: %v", state, told)
		}
	}
}

// removed is what the metric says of a state.
func removed(t *testing.T, registry *prometheus.Registry, state event.State) float64 {
	t.Helper()
	for _, family := range must(registry.Gather()) {
		for _, m := range family.GetMetric() {
			labels := m.GetLabel()
			if family.GetName() == "ess_receiver_store_removed_total" && labels[0].GetValue() == "age" &&
				labels[1].GetValue() == string(state) {
				return m.GetCounter().GetValue()
			}
		}
	}
	return -1
}

// fillUp appends until the journal refuses, and returns how many went in.
func (b *bench) fillUp(from int64, state event.State) (n int64) {
	b.t.Helper()
	for {
		e := sized(reports, from+n)
		e.State = state
		_, err := b.Append(b.t.Context(), e)
		if errors.Is(err, event.ErrFull) {
			return n
		}
		if err != nil {
			b.t.Fatal(err)
		}
		n++
	}
}

// TestFullRefusesAppendsOnly fills a journal; deliveries make room again.
func TestFullRefusesAppendsOnly(t *testing.T) {
	t.Parallel()
	b := open(t, func(o *Options) { o.MaxSize = 2 << 20 })
	n := b.fillUp(0, event.Pending)
	if s := b.Stats(); s.Used > s.MaxSize || n < 100 {
		t.Errorf("after %d events %d of %d bytes are used", n, s.Used, s.MaxSize)
	}
	b.appends(sized(reports, 0), event.Duplicate)
	b.house() // which must remove nothing that is pending
	if got := b.Stats().Routes[0].Pending; got != uint64(n) {
		t.Errorf("%d are pending, want %d", got, n)
	}
	for _, r := range must(b.claimAll(reports)) {
		b.settle(r.Seq, event.Settlement{})
	}
	b.house()
	if s := b.Stats(); s.Used > s.MaxSize/100*80 || s.Full || s.Events == 0 {
		t.Errorf("after deliveries and housekeeping: %+v", s)
	}
	b.appends(sized(reports, 0), event.Duplicate) // though its event may have gone early
	b.appends(sized(reports, n), event.Accepted)
	b.checked()
	b.reopen()
}

// TestFullDiskRefusesAppends leaves a reserve of the file system alone.
func TestFullDiskRefusesAppends(t *testing.T) {
	t.Parallel()
	free := int64(1 << 30)
	b := open(t, func(o *Options) { o.MinFree, o.free = 1<<20, func(string) (int64, error) { return free, nil } })
	seq := b.add(entry(reports, "a"))
	free = 1<<20 - 1
	if _, err := b.Append(context.Background(), entry(reports, "b")); !errors.Is(err, event.ErrFull) {
		t.Errorf("Append = %v, want ErrFull", err)
	}
	b.claim(reports, "a")
	b.settle(seq, event.Settlement{})
	free = 1 << 20
	b.appends(entry(reports, "b"), event.Accepted)
}
