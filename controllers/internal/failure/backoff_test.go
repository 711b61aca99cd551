package failure_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/internal/ess"
)

const almostOne = 1 - 1e-12

func TestDelayBounds(t *testing.T) {
	t.Parallel()
	unavailable := &ess.Error{Kind: ess.ErrUnavailable}
	cases := map[string]struct {
		reason      string
		err         error
		attempts    int
		least, most time.Duration
	}{
		"First":        {"most trouble is short", unavailable, 1, 500 * time.Millisecond, time.Second},
		"Second":       {"each wait is twice the last", unavailable, 2, time.Second, 2 * time.Second},
		"Fifth":        {"each wait is twice the last", unavailable, 5, 8 * time.Second, 16 * time.Second},
		"Ninth":        {"this would be 256 s", unavailable, 9, 128 * time.Second, 256 * time.Second},
		"Tenth":        {"five minutes is the longest", unavailable, 10, 150 * time.Second, 5 * time.Minute},
		"Hundredth":    {"doubling must not overflow", unavailable, 100, 150 * time.Second, 5 * time.Minute},
		"MaxInt":       {"doubling must not overflow", unavailable, math.MaxInt, 150 * time.Second, 5 * time.Minute},
		"None":         {"a count that was lost is the first", unavailable, 0, 500 * time.Millisecond, time.Second},
		"Negative":     {"a count from a broken status is the first", unavailable, math.MinInt, 500 * time.Millisecond, time.Second},
		"Unknown":      {"what nobody foresaw is tried again", errors.New("new"), 1, 500 * time.Millisecond, time.Second},
		"Refused":      {"a refusal is rarely taken back", &ess.Error{Kind: ess.ErrInvalid}, 1, 30 * time.Minute, time.Hour},
		"RefusedAgain": {"an hour is the longest", &ess.Error{Kind: ess.ErrInvalid}, 50, 30 * time.Minute, time.Hour},
		"Credentials":  {"a wrong secret stays wrong", &ess.Error{Kind: ess.ErrCredentials}, 1, 30 * time.Minute, time.Hour},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := failure.Delay(tc.err, tc.attempts, 0); got != tc.least {
				t.Errorf("the shortest wait is %v, want %v: %s", got, tc.least, tc.reason)
			}
			if got := failure.Delay(tc.err, tc.attempts, almostOne); got > tc.most || got < tc.most-time.Millisecond {
				t.Errorf("the longest wait is %v, want almost %v: %s", got, tc.most, tc.reason)
			}
		})
	}
}

func TestDelayHonoursRetryAfter(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason     string
		retryAfter time.Duration
		attempts   int
		want       time.Duration
	}{
		"Longer":  {"Concur named a time", 7 * time.Minute, 1, 7 * time.Minute},
		"Longest": {"also beyond our own longest wait", time.Hour, 1, time.Hour},
		"Shorter": {"it is the least, not the most", time.Second, 5, 8 * time.Second},
		"Absent":  {"our own schedule counts", 0, 5, 8 * time.Second},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := &ess.Error{Kind: ess.ErrRateLimited, RetryAfter: tc.retryAfter}
			if got := failure.Delay(err, tc.attempts, 0); got != tc.want {
				t.Errorf("got %v, want %v: %s", got, tc.want, tc.reason)
			}
		})
	}
}

func TestRetryCountsAndSaysWhen(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 300_000_000, time.UTC)
	unavailable := &ess.Error{Kind: ess.ErrUnavailable, Op: "PUT subscription", Status: 503, CorrelationID: "c-1"}
	cases := map[string]struct {
		reason   string
		before   *v1alpha1.RetryStatus
		err      error
		attempts int32
		next     time.Time
	}{
		"First":  {"half a second, and whole seconds in status", nil, unavailable, 1, time.Date(2026, 11, 22, 12, 0, 1, 0, time.UTC)},
		"Third":  {"the count goes on, and the wait grows", &v1alpha1.RetryStatus{Attempts: 2}, unavailable, 3, time.Date(2026, 11, 22, 12, 0, 3, 0, time.UTC)},
		"Longer": {"Concur named a time", nil, &ess.Error{Kind: ess.ErrRateLimited, RetryAfter: time.Minute}, 1, time.Date(2026, 11, 22, 12, 1, 1, 0, time.UTC)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := failure.Retry(tc.before, tc.err, now, 0)
			if got.Attempts != tc.attempts || !got.NextAttemptTime.Time.Equal(tc.next) {
				t.Errorf("attempt %d at %v, want attempt %d at %v: %s", got.Attempts, got.NextAttemptTime, tc.attempts, tc.next, tc.reason)
			}
			if want := failure.Message(tc.err) + failure.Correlation(tc.err); got.LastError != want {
				t.Errorf("the last error is %q, want %q", got.LastError, want)
			}
		})
	}
}

func TestRetryFitsItsSchema(t *testing.T) {
	t.Parallel()
	got := failure.Retry(nil, errors.New(strings.Repeat("é", 2000)), time.Now(), 0)
	if len(got.LastError) > 1024 || !utf8.ValidString(got.LastError) {
		t.Errorf("the last error has %d bytes, of which the schema allows 1024", len(got.LastError))
	}
}

func FuzzDelay(f *testing.F) {
	f.Add(1, 0.5)
	f.Add(math.MaxInt, almostOne)
	f.Fuzz(func(t *testing.T, attempts int, random float64) {
		if !(random >= 0 && random < 1) {
			t.Skip("random numbers are in [0, 1)")
		}
		got := failure.Delay(&ess.Error{Kind: ess.ErrTimeout}, attempts, random)
		if got < 500*time.Millisecond || got > 5*time.Minute {
			t.Errorf("attempt %d waits %v", attempts, got)
		}
	})
}
