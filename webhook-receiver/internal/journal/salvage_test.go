package journal

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// checked closes the journal and wants nothing to be wrong with its file.
func (b *bench) checked() {
	b.t.Helper()
	b.close()
	report, err := Check(b.options.Path)
	if err != nil || !report.Whole() {
		b.t.Fatalf("Check = %+v, %v", report, err)
	}
}

// content is all that a journal has, with bodies.
func (b *bench) content() map[uint64]event.Record {
	b.t.Helper()
	all := map[uint64]event.Record{}
	for page := (event.Page{Limit: 1000}); ; {
		records, next, err := b.List(event.Filter{}, page)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, r := range records {
			all[r.Seq] = b.get(r.Seq)
		}
		if next == 0 {
			return all
		}
		page.After = next
	}
}

// fill stores events in every state.
func (b *bench) fill(n int) {
	b.t.Helper()
	for i := range n {
		e := sized(reports, int64(i))
		if i%5 == 4 {
			e.State, e.Event.Quarantine = event.Quarantined, "no eventType"
		}
		if i%3 == 0 {
			e.OrderKey = "one"
		}
		b.appends(e, event.Accepted)
	}
	for range n / 4 {
		records, _, err := b.Claim(reports, 1)
		if err != nil || len(records) == 0 {
			break
		}
		how := []event.Settlement{{}, {Error: "503", RetryAt: later}, {Error: "400"}}[records[0].Seq%3]
		b.settle(records[0].Seq, how)
	}
}

func TestSalvageOfAWholeFileKeepsAll(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.fill(200)
	want, stats := b.content(), b.Stats()
	b.checked()
	to := b.options.Path + ".salvaged"
	report, err := salvage(b.options.Path, to, b.clock)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(SalvageReport{Events: 200}, report); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	b.options.Path = to
	b.reopen()
	if diff := cmp.Diff(want, b.content()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(stats.Routes, b.Stats().Routes); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
	b.appends(sized(reports, 0), event.Duplicate)
	b.checked()
	b.reopen()
}

func TestSalvageOverwritesNothing(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.fill(1)
	b.checked()
	to := b.options.Path + ".salvaged"
	if err := os.WriteFile(to, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Salvage(b.options.Path, to); err == nil {
		t.Error("Salvage wrote over a file")
	}
	if got, err := os.ReadFile(to); err != nil || string(got) != "mine" {
		t.Errorf("it has %q, %v", got, err)
	}
}
