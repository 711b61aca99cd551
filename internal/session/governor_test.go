package session

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/ess"
)

func TestRetryAfterHoldsAllCalls(t *testing.T) {
	t.Parallel()
	date := func(in time.Duration) func() string {
		return func() string { return time.Now().Add(in).UTC().Format(http.TimeFormat) }
	}
	text := func(s string) func() string { return func() string { return s } }
	cases := map[string]struct {
		reason     string
		status     int
		retryAfter func() string
		want       time.Duration
	}{
		"Seconds":           {"the usual form", 429, text("90"), 90 * time.Second},
		"Date":              {"the other form that HTTP knows", 429, date(2 * time.Minute), 2 * time.Minute},
		"Unavailable":       {"maintenance is announced by 503", 503, text("600"), 10 * time.Minute},
		"Absurd":            {"one odd header must not silence an application for days", 429, text("99999999999999999999"), time.Hour},
		"FarDate":           {"likewise", 503, date(48 * time.Hour), time.Hour},
		"Past":              {"that time is over", 429, date(-time.Minute), 0},
		"None":              {"each caller's own back-off serves", 429, text(""), 0},
		"Garbage":           {"what cannot be read asks for nothing", 429, text("soon"), 0},
		"Success":           {"an answer that was given needs no patience", 200, text("60"), 0},
		"OtherServerError":  {"HTTP gives Retry-After no meaning here", 500, text("60"), 0},
		"RedirectElsewhere": {"it is about the other place", 301, text("60"), 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g, l, transport := governedLine(Limit{PerSecond: 100, Burst: 100})
				l.answers(tc.status, tc.retryAfter())
				wantNoError(t, send(t.Context(), transport, "told"))
				if got := g.Held(); got != tc.want {
					t.Fatalf("held for %v, want %v: %s", got, tc.want, tc.reason)
				}
				if tc.want > 0 {
					checkHold(t, l, transport, tc.want)
				}
			})
		})
	}
}

// checkHold holds that no call is made until hold is over, and that calls are made then.
func checkHold(t *testing.T, l *line, transport http.RoundTripper, hold time.Duration) {
	t.Helper()
	<-time.After(hold - time.Second)
	err := send(t.Context(), transport, "early")
	if !errors.Is(err, ErrHeld) || !errors.Is(err, ess.ErrRateLimited) || ess.RetryAfter(err) != time.Second {
		t.Errorf("a call a second before the end: %v, to be tried after %v", err, ess.RetryAfter(err))
	}
	if made := l.made(); len(made) != 1 {
		t.Errorf("calls during the hold: %v", made[1:])
	}
	<-time.After(time.Second)
	wantNoError(t, send(t.Context(), transport, "after"))
}

func TestHoldSendsThoseWhoWaitAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, l, transport := governedLine(Limit{PerSecond: 1, Burst: 1})
		wantNoError(t, send(t.Context(), transport, "first"))
		l.answers(http.StatusTooManyRequests, "30")
		told := begin(t.Context(), transport, "told")
		synctest.Wait()
		waiting := begin(t.Context(), transport, "waiting")
		wantNoError(t, <-told)
		if err := <-waiting; !errors.Is(err, ErrHeld) || ess.RetryAfter(err) != 30*time.Second {
			t.Errorf("who waited for a turn got %v", err)
		}
		if diff := cmp.Diff([]string{"first 0s", "told 1s"}, l.made()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		g.hold(time.Second)
		if got := g.Held(); got != 30*time.Second {
			t.Errorf("a shorter Retry-After cut the longer one to %v", got)
		}
	})
}

// TestHeldErrorNamesNoTime holds the texts that go into conditions, which must not change from one attempt to the next.
func TestHeldErrorNamesNoTime(t *testing.T) {
	t.Parallel()
	for _, build := range []func(time.Duration) error{held, tooLate} {
		if diff := cmp.Diff(build(time.Second).Error(), build(time.Minute).Error()); diff != "" {
			t.Errorf("the text depends on the time:\n%s", diff)
		}
	}
}

// closer is a body that knows whether it was closed.
type closer struct {
	io.Reader

	closed bool
}

func (c *closer) Close() error { c.closed = true; return nil }

func TestRefusedCallClosesItsBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, _, transport := governedLine(Limit{PerSecond: 1, Burst: 1})
		g.hold(time.Minute)
		body := &closer{Reader: strings.NewReader("body")}
		if err := sendBody(t.Context(), transport, "call", body); !errors.Is(err, ErrHeld) || !body.closed {
			t.Errorf("got %v, body closed: %v; http.RoundTripper demands it", err, body.closed)
		}
	})
}
