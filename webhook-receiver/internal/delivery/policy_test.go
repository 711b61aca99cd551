package delivery

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

// all is a jitter that takes the whole of a duration, so that tests can tell.
func all(d time.Duration) time.Duration { return d }

func none(time.Duration) time.Duration { return 0 }

func TestBackoff(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		policy route.BackoffPolicy
		delay  time.Duration
		retry  int
		want   map[int]time.Duration // by the number of the retry
	}{
		"Exponential": {
			reason: "Knative's backoffDelay * 2^n.", policy: route.Exponential, delay: time.Second, retry: 20,
			want: map[int]time.Duration{1: 2 * time.Second, 2: 4 * time.Second, 3: 8 * time.Second, 10: 1024 * time.Second, 17: 24 * time.Hour, 5000: 24 * time.Hour},
		},
		"Linear": {
			reason: "Knative's backoffDelay * n.", policy: route.Linear, delay: 10 * time.Second, retry: 20,
			want: map[int]time.Duration{1: 10 * time.Second, 2: 20 * time.Second, 20: 200 * time.Second, 1 << 40: 24 * time.Hour},
		},
		"Unlimited": {
			reason: "A sink that is back gets its events within five minutes.", policy: route.Exponential, delay: time.Second, retry: -1,
			want: map[int]time.Duration{1: 2 * time.Second, 8: 256 * time.Second, 9: 5 * time.Minute, 1000: 5 * time.Minute},
		},
		"LongDelay": {
			reason: "The bound holds for the first as well.", policy: route.Linear, delay: time.Hour, retry: -1,
			want: map[int]time.Duration{1: 5 * time.Minute},
		},
		"NoDelay": {reason: "Nothing is not multiplied.", policy: route.Exponential, retry: 3, want: map[int]time.Duration{1: 0, 70: 0}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := route.Delivery{Retries: tc.retry, BackoffPolicy: tc.policy, BackoffDelay: tc.delay}
			for n, want := range tc.want {
				if got := backoff(d, n); got != want {
					t.Errorf("%s: retry %d: got %v, want %v", tc.reason, n, got, want)
				}
			}
		})
	}
}

var now = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

const retention = 168 * time.Hour

func in(d time.Duration) event.Settlement {
	return event.Settlement{Error: "why", RetryAt: now.Add(d)}
}

func TestWhatBecomesOfAFailure(t *testing.T) {
	t.Parallel()
	dead := event.Settlement{Error: "why"}
	tests := map[string]struct {
		reason   string
		retry    int
		attempts int           // before this one
		age      time.Duration // of the event
		failure  failure
		jitter   func(time.Duration) time.Duration
		want     event.Settlement
	}{
		"First":        {reason: "The first retry is number 1.", retry: 3, jitter: all, want: in(2 * time.Second)},
		"Third":        {reason: "The last that is allowed.", retry: 3, attempts: 2, jitter: all, want: in(8 * time.Second)},
		"Over":         {reason: "Three retries are four attempts.", retry: 3, attempts: 3, jitter: all, want: dead},
		"NoRetries":    {reason: "Retry 0 is a single attempt.", retry: 0, jitter: all, want: dead},
		"Final":        {reason: "The same bytes would be refused again.", retry: 3, failure: failure{final: true}, jitter: all, want: dead},
		"Jitter":       {reason: "Full jitter may be nothing.", retry: 3, jitter: none, want: in(0)},
		"RetryAfter":   {reason: "Jitter is not earlier than what the sink asked for.", retry: 3, failure: failure{wait: time.Minute}, jitter: none, want: in(time.Minute)},
		"ShorterAfter": {reason: "What it asked for does not hasten.", retry: 3, failure: failure{wait: time.Second}, jitter: all, want: in(2 * time.Second)},
		"LongAfter":    {reason: "A slip of the sink must not park an event for a year.", retry: 3, failure: failure{wait: 9000 * time.Hour}, jitter: all, want: in(time.Hour)},
		"Unlimited":    {reason: "Retried as long as it is kept.", retry: -1, attempts: 5000, jitter: all, want: in(5 * time.Minute)},
		"LastOne":      {reason: "The last attempt is when its time is over.", retry: -1, attempts: 50, age: retention - time.Second, jitter: all, want: in(time.Second)},
		"TimeOver":     {reason: "Its time is over.", retry: -1, attempts: 10, age: retention, jitter: all, want: dead},
		"WaitedLong":   {reason: "There was no sink until its time was over: that there is one now must not be its end.", retry: -1, attempts: 0, age: 2 * retention, jitter: all, want: in(2 * time.Second)},
		"OldButGiven":  {reason: "With a number of retries, age does not matter: it may have been replayed.", retry: 3, age: 2 * retention, jitter: all, want: in(2 * time.Second)},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := route.DefaultDelivery()
			d.Retries = tc.retry
			r := event.Record{Attempts: tc.attempts, Since: now.Add(-tc.age)}
			tc.failure.text = "why"
			got := policy{retention: retention, jitter: tc.jitter}.settle(d, r, tc.failure, now)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestWhenRetriesWouldBeOver(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason   string
		retry    int
		attempts int
		due      time.Duration // ago
		down     time.Duration // for how long
		age      time.Duration
		want     bool
	}{
		"AtFirst":      {reason: "A short outage costs nothing.", retry: 3, due: 59 * time.Minute, down: 59 * time.Minute},
		"LongDown":     {reason: "2+4+8 s and 4 times 30 s would be over long ago.", retry: 3, due: time.Hour, down: time.Hour, want: true},
		"JustStored":   {reason: "It has not waited yet, however long the sink has been down.", retry: 3, due: time.Minute, down: 24 * time.Hour},
		"JustDown":     {reason: "That the receiver was not running is not the sink's fault.", retry: 3, due: 24 * time.Hour, down: time.Minute},
		"ManyRetries":  {reason: "2+4+…+4096 s and 13 times 30 s are 2 h 23 min.", retry: 12, due: 142 * time.Minute, down: 24 * time.Hour},
		"ManyOver":     {reason: "A minute later.", retry: 12, due: 143 * time.Minute, down: 24 * time.Hour, want: true},
		"SomeMade":     {reason: "Those that were made do not count again.", retry: 12, attempts: 11, due: 81 * time.Minute, down: 24 * time.Hour, want: true},
		"Probed":       {reason: "Being tried now and then must not keep it for ever.", retry: 3, attempts: 3, due: time.Minute, down: 2 * time.Hour, age: 2 * time.Hour, want: true},
		"Unlimited":    {reason: "Time alone ends it.", retry: -1, due: 100 * time.Hour, down: 100 * time.Hour, age: 100 * time.Hour},
		"UnlimitedOld": {reason: "Its time is over.", retry: -1, due: time.Minute, down: time.Hour, age: retention, want: true},
		"JustDownOld":  {reason: "Its time was over before, and the sink may be back in a minute.", retry: -1, due: time.Minute, down: 59 * time.Minute, age: retention},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := route.DefaultDelivery()
			d.Retries = tc.retry
			r := event.Record{Attempts: tc.attempts, Due: now.Add(-tc.due), Since: now.Add(-max(tc.age, tc.due))}
			if got := (policy{retention: retention}).over(d, r, now.Add(-tc.down), now); got != tc.want {
				t.Errorf("%s: got %t, want %t", tc.reason, got, tc.want)
			}
		})
	}
}

func FuzzPolicy(f *testing.F) {
	f.Add(3, 0, int64(time.Second), true, int64(0))
	f.Add(-1, 100, int64(time.Hour), false, int64(1<<60))
	f.Fuzz(func(t *testing.T, retries, attempts int, delay int64, exponential bool, wait int64) {
		d := route.Delivery{Retries: retries, BackoffDelay: time.Duration(delay), BackoffPolicy: route.Linear}
		if exponential {
			d.BackoffPolicy = route.Exponential
		}
		r := event.Record{Attempts: max(0, attempts%100_000), Since: now}
		p := policy{retention: retention, jitter: randomPart}
		how := p.settle(d, r, failure{text: "why", wait: time.Duration(wait)}, now)
		if !how.RetryAt.IsZero() && (how.RetryAt.Before(now) || how.RetryAt.After(now.Add(maxDelay))) {
			t.Errorf("got a retry at %v", how.RetryAt)
		}
	})
}
