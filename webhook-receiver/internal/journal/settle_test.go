package journal

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

var later = start.Add(time.Minute)

var settlements = map[string]struct {
	reason string
	how    []event.Settlement
	want   event.Record
}{
	"Delivered": {
		reason: "The zero settlement is success.",
		how:    []event.Settlement{{}},
		want:   event.Record{State: event.Delivered, Attempts: 1, LastAttempt: start},
	},
	"Retry": {
		reason: "A failure with a time is tried again then.",
		how:    []event.Settlement{{Error: "503", RetryAt: later}},
		want:   event.Record{State: event.Pending, Attempts: 1, LastAttempt: start, LastError: "503", Due: later},
	},
	"Dead": {
		reason: "A failure without a time is the end.",
		how:    []event.Settlement{{Error: "400"}},
		want:   event.Record{State: event.Dead, Attempts: 1, LastAttempt: start, LastError: "400"},
	},
	"Abandoned": {
		reason: "Nothing was tried, so nothing is counted.",
		how:    []event.Settlement{{Abandoned: true}},
		want:   event.Record{State: event.Pending, Due: start},
	},
	"DeadLetterSink": {
		reason: "A dead event goes to its own sink with its attempts counted anew.",
		how:    []event.Settlement{{Error: "400", ToDeadLetterSink: true}},
		want: event.Record{
			State: event.Dead, LastAttempt: start, LastError: "400", Due: start, ToDeadLetterSink: true,
		},
	},
	"DeadLetterRetry": {
		reason: "The dead letter sink may fail, too.",
		how:    []event.Settlement{{Error: "400", ToDeadLetterSink: true}, {Error: "502", RetryAt: later}},
		want: event.Record{
			State: event.Dead, Attempts: 1, LastAttempt: start, LastError: "502", Due: later, ToDeadLetterSink: true,
		},
	},
	"DeadLetterDelivered": {
		reason: "It stays dead, with the reason why, and can be replayed.",
		how:    []event.Settlement{{Error: "400", ToDeadLetterSink: true}, {}},
		want:   event.Record{State: event.Dead, Attempts: 1, LastAttempt: start, LastError: "400"},
	},
	"DeadLetterDead": {
		reason: "When its retries are over nothing more is tried.",
		how:    []event.Settlement{{Error: "400", ToDeadLetterSink: true}, {Error: "500"}},
		want:   event.Record{State: event.Dead, Attempts: 1, LastAttempt: start, LastError: "500"},
	},
}

func TestClaimSettle(t *testing.T) {
	t.Parallel()
	for name, test := range settlements {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			e := entry(reports, "a")
			seq := b.add(e)
			for _, how := range test.how {
				b.claim(reports, "a")
				b.settle(seq, how)
			}
			test.want.Seq, test.want.Event, test.want.Since = seq, e.Event, start
			if diff := cmp.Diff(test.want, b.get(seq)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
			b.reopen()
			if diff := cmp.Diff(test.want, b.get(seq)); diff != "" {
				t.Errorf("after reopening (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnEventIsClaimedOnce(t *testing.T) {
	t.Parallel()
	b := open(t)
	seq := b.add(entry(reports, "a"))
	b.add(entry(requests, "b"))
	b.claim(reports, "a")
	b.claim(reports)
	b.claim(requests, "b")
	b.reopen()
	b.claim(reports, "a")
	b.settle(seq, event.Settlement{})
	b.state(seq, event.Delivered)
	b.claim(reports)
}

func TestClaimOldestDueFirst(t *testing.T) {
	t.Parallel()
	b := open(t)
	for i := range 5 {
		b.add(entry(reports, fmt.Sprint(i)))
		b.clock.Step(time.Second)
	}
	for i, r := range b.claim(reports, "0", "1", "2", "3", "4") {
		b.settle(r.Seq, event.Settlement{Error: "503", RetryAt: b.clock.Now().Add(time.Duration(5-i) * time.Minute)})
	}
	records, next, err := b.Claim(reports, 2)
	if err != nil || len(records) != 0 || !next.Equal(b.clock.Now().Add(time.Minute)) {
		t.Fatalf("Claim = %v, %v, %v; want none, and the next in a minute", ids(records), next, err)
	}
	b.clock.Step(3 * time.Minute)
	records, next, err = b.Claim(reports, 2)
	if diff := cmp.Diff([]string{"4", "3"}, ids(records)); diff != "" || err != nil {
		t.Errorf("claimed (-want +got):\n%s%v", diff, err)
	}
	if want := b.clock.Now(); !next.Equal(want) {
		t.Errorf("next = %v, want %v: the limit left one that is due", next, want)
	}
}

func TestSettlementWaitsOutAFailure(t *testing.T) {
	t.Parallel()
	b := open(t)
	seq := b.add(entry(reports, "a"))
	b.claim(reports, "a")
	b.fail(errors.New("the disk is gone"))
	if err := b.Settle(seq, event.Settlement{}); !errors.Is(err, event.ErrUnavailable) {
		t.Fatalf("settling while nothing is written: %v, want ErrUnavailable", err)
	}
	if err := b.exchange(); err != nil {
		t.Fatal(err)
	}
	b.claim(reports) // it is still claimed: the sink has it already
	b.settle(seq, event.Settlement{})
	b.state(seq, event.Delivered)
	if err := b.Settle(seq, event.Settlement{}); !errors.Is(err, event.ErrNotClaimed) {
		t.Errorf("settling twice: %v, want ErrNotClaimed", err)
	}
}
