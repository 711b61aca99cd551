package journal

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

var (
	start    = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	reports  = event.RouteID{Kind: event.Subscription, Namespace: "finance", Name: "reports"}
	requests = event.RouteID{Kind: event.Connector, Namespace: "travel", Name: "requests"}
)

// bench is a journal under test.
type bench struct {
	*Journal
	t       testing.TB
	clock   *clocktesting.FakeClock
	options Options
}

// open makes a journal of its own for a test.
func open(t testing.TB, change ...func(*Options)) *bench {
	t.Helper()
	clock := clocktesting.NewFakeClock(start)
	b := &bench{t: t, clock: clock, options: Options{
		Path: filepath.Join(t.TempDir(), "journal.db"), MaxSize: 64 << 20, Clock: clock, Logger: quiet(), noSync: true,
	}}
	for _, c := range change {
		c(&b.options)
	}
	b.reopen()
	t.Cleanup(func() { b.close() })
	return b
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// reopen closes the journal, if it is open, and opens it again.
func (b *bench) reopen() {
	b.t.Helper()
	if b.Journal != nil {
		b.close()
	}
	j, err := Open(b.options)
	if err != nil {
		b.t.Fatal(err)
	}
	b.Journal = j
}

func (b *bench) close() {
	b.t.Helper()
	if err := b.Close(); err != nil {
		b.t.Error(err)
	}
}

// entry is an event that a test stores.
func entry(route event.RouteID, id string) event.Entry {
	return event.Entry{State: event.Pending, Event: event.Event{
		Route: route, ID: id, Source: "https://us2.api.concursolutions.com/events/v4/subscriptions/acme",
		Type: "com.concur.expense.report.submitted", EventType: "submitted", Time: start, Received: start,
		DataContentType: "application/json", Proof: "signature:current",
		Header: map[string][]string{"Content-Type": {"application/json"}},
		Body:   []byte(`{"id":"` + id + `"}`),
	}}
}

// add stores an event that must be accepted, and returns its seq.
func (b *bench) add(e event.Entry) uint64 {
	b.t.Helper()
	b.appends(e, event.Accepted)
	records, _, err := b.List(event.Filter{ID: e.Event.ID, Namespace: e.Event.Route.Namespace}, event.Page{Newest: true})
	if err != nil || len(records) == 0 {
		b.t.Fatalf("event %s is not listed: %v", e.Event.ID, err)
	}
	return records[0].Seq
}

func (b *bench) appends(e event.Entry, want event.Outcome) {
	b.t.Helper()
	if got, err := b.Append(b.t.Context(), e); err != nil || got != want {
		b.t.Fatalf("Append(%s) = %q, %v; want %q", e.Event.ID, got, err, want)
	}
}

// claim claims what is due and wants those ids.
func (b *bench) claim(route event.RouteID, want ...string) []event.Record {
	b.t.Helper()
	records, _, err := b.Claim(route, 100)
	if err != nil {
		b.t.Fatal(err)
	}
	if diff := cmp.Diff(want, ids(records)); diff != "" {
		b.t.Fatalf("claimed (-want +got):\n%s", diff)
	}
	return records
}

func (b *bench) settle(seq uint64, how event.Settlement) {
	b.t.Helper()
	if err := b.Settle(seq, how); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) get(seq uint64) event.Record {
	b.t.Helper()
	r, err := b.Get(seq)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// state wants an event in a state.
func (b *bench) state(seq uint64, want event.State) {
	b.t.Helper()
	if r := b.get(seq); r.State != want {
		b.t.Fatalf("event %d is %s, want %s", seq, r.State, want)
	}
}

func ids(records []event.Record) (ids []string) {
	for _, r := range records {
		ids = append(ids, r.Event.ID)
	}
	return ids
}

func TestAppendKeepsEveryByte(t *testing.T) {
	t.Parallel()
	b := open(t)
	e := entry(reports, "a")
	e.Event.Body = []byte("\x00\xff not JSON at all \r\n")
	seq := b.add(e)
	b.reopen()
	want := event.Record{Seq: seq, Event: e.Event, State: event.Pending, Due: start, Since: start}
	if diff := cmp.Diff(want, b.get(seq)); diff != "" {
		t.Errorf("after reopening (-want +got):\n%s", diff)
	}
	if _, err := b.Get(seq + 1); !errors.Is(err, event.ErrNotFound) {
		t.Errorf("Get of what was never stored: %v, want ErrNotFound", err)
	}
}

func TestAppendEndsWithItsContext(t *testing.T) {
	t.Parallel()
	b := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Append(ctx, entry(reports, "a")); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Append = %v, want context.Canceled or success", err)
	}
	if _, err := b.Append(t.Context(), entry(reports, "a")); err != nil {
		t.Errorf("repeating it: %v", err)
	}
}

func TestSharedIDLosesNothing(t *testing.T) {
	t.Parallel()
	b := open(t)
	first, other := entry(reports, "a"), entry(reports, "a")
	other.Event.Body = []byte(`{"id":"a","of":"something else"}`)
	b.appends(first, event.Accepted)
	b.appends(other, event.Accepted)
	b.appends(first, event.Duplicate)
	b.appends(other, event.Duplicate)
	b.claim(reports, "a")
	got := b.get(2)
	if got.State != event.Quarantined || got.Event.Quarantine == "" || string(got.Event.Body) != string(other.Event.Body) {
		t.Errorf("an event that shares an id is %+v, want it in quarantine, with a reason", got)
	}
}
