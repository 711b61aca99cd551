package admin_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/admin"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/journal"
)

// onDisk is a bench on the real store, with what fill stores in it.
func onDisk(t *testing.T) (*bench, *journal.Journal) {
	t.Helper()
	b := newBench(t)
	b.fill()
	j, err := journal.Open(journal.Options{
		Path: filepath.Join(t.TempDir(), "journal.db"), MaxSize: 64 << 20, Clock: b.clock,
		Logger: slog.New(slog.DiscardHandler), Registerer: b.registry,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	copyTo(t, j, b.store.records)
	disk := newBench(t, func(c *admin.Config) {
		c.Reader, c.Replayer, c.Tailer, c.Clock = j, j, j, b.clock
	})
	return disk, j
}

// copyTo brings events into the states that they have in memory.
func copyTo(t *testing.T, j *journal.Journal, records []event.Record) {
	t.Helper()
	for _, r := range records {
		state := r.State
		if state == event.Delivered || state == event.Dead {
			state = event.Pending
		}
		if _, err := j.Append(t.Context(), event.Entry{Event: r.Event, State: state}); err != nil {
			t.Fatal(err)
		}
	}
	for _, route := range []event.RouteID{reports, records[len(records)-1].Event.Route} {
		claimed, _, err := j.Claim(route, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range claimed {
			if err := j.Settle(r.Seq, endings[records[r.Seq-1].State]); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// endings are how deliveries end in a state.
var endings = map[event.State]event.Settlement{
	event.Pending: {Abandoned: true},
	event.Dead:    {Error: "the sink answered 400"},
}

func TestJournalIsListed(t *testing.T) {
	t.Parallel()
	b, _ := onDisk(t)
	for name, tc := range listed {
		if diff := cmp.Diff(tc.want, walk(t, b, tc.query)); diff != "" {
			t.Errorf("%s: %s\n-want +got:\n%s", name, tc.reason, diff)
		}
	}
}

func TestJournalIsReplayed(t *testing.T) {
	t.Parallel()
	for name, tc := range selected {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _ := onDisk(t)
			b.checkReplay(t, tc.body, tc.reason, tc.want)
		})
	}
}

func TestJournalIsReadAndReplayedByOne(t *testing.T) {
	t.Parallel()
	b, _ := onDisk(t)
	for seq, want := range map[int]string{4: string(sample("").Body), 6: "<Notification/>"} {
		if got := b.get(fmt.Sprintf("/v1/events/%d/data", seq)).Body.String(); got != want {
			t.Errorf("the data of %d is %s, want %s", seq, got, want)
		}
	}
	got := decode[event.Record](t, b.get("/v1/events/4"), http.StatusOK)
	if got.Event.ID != "dead" || got.State != event.Dead || got.LastError == "" || got.Event.Header == nil {
		t.Errorf("the event is %+v", got)
	}
	if got := decode[replayed](t, b.call(http.MethodPost, "/v1/events/4/replay", ""), http.StatusOK); got.Events != 1 {
		t.Errorf("%d events were replayed", got.Events)
	}
	if got := b.pending(t); !slices.Contains(got, "dead") {
		t.Errorf("pending are %v", got)
	}
	refused(t, b.call(http.MethodPost, "/v1/events/4/replay", ""), http.StatusConflict)
	refused(t, b.get("/v1/events/99"), http.StatusNotFound)
	refused(t, b.call(http.MethodPost, "/v1/events/99/replay", ""), http.StatusNotFound)
}

func TestJournalHasStatistics(t *testing.T) {
	t.Parallel()
	b, _ := onDisk(t)
	type statistics struct {
		Store  struct{ Events, MaxSize, SyncLatency int64 }
		Routes []event.RouteStats
	}
	got := decode[statistics](t, b.get("/v1/statistics"), http.StatusOK)
	if s := got.Store; s.Events != 6 || s.MaxSize != 64<<20 || s.SyncLatency <= 0 {
		t.Errorf("of the store it is said: %+v", s)
	}
	want := []event.RouteStats{
		{Route: event.RouteID{Kind: event.Connector, Namespace: "hr", Name: "requests"}, Received: 1, LastEventTime: now},
		{Route: reports, Received: 5, Pending: 1, DeadLettered: 1, Quarantined: 1,
			LastEventTime: now, OldestPending: now, LastError: "the sink answered 400", LastErrorTime: now},
	}
	if diff := cmp.Diff(want, got.Routes); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if w := b.get("/readyz"); w.Code != http.StatusOK {
		t.Errorf("readiness %d: %s", w.Code, w.Body)
	}
}

func TestJournalIsTailed(t *testing.T) {
	t.Parallel()
	b, j := onDisk(t)
	_, url := serve(t, b)
	tail := openTail(t, url, "state=stored")
	for _, id := range []string{"a", "b"} {
		if _, err := j.Append(t.Context(), event.Entry{Event: sample(id), State: event.Stored}); err != nil {
			t.Fatal(err)
		}
		if l := tail.next(); l.Record == nil || l.Record.Event.ID != id || l.Record.Event.Header != nil {
			t.Errorf("the line is %+v, want metadata of %s", l, id)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if tail.lines.Scan() || tail.lines.Err() != nil {
		t.Errorf("a tail of a store that is closed must end in good order: %v", tail.lines.Err())
	}
}
