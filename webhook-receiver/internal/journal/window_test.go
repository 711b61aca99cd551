package journal

import (
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// A report that is recalled and submitted again on the same day makes a notification of the same bytes, so connectors
// have a window of their own, whichever of the two is longer.
func TestWindowsOfSubscriptionsAndConnectors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason        string
		window, calls time.Duration
		after         time.Duration
		event, call   event.Outcome
	}{
		"Both":           {"It is the same one again.", 4 * time.Hour, 4 * time.Hour, 3 * time.Hour, event.Duplicate, event.Duplicate},
		"CalloutsShort":  {"Only that of connectors is over.", 4 * time.Hour, time.Hour, 3 * time.Hour, event.Duplicate, event.Accepted},
		"CalloutsLong":   {"Only that of subscriptions is over.", time.Hour, 4 * time.Hour, 3 * time.Hour, event.Accepted, event.Duplicate},
		"BothOver":       {"Who knows what it is.", time.Hour, 2 * time.Hour, 3 * time.Hour, event.Accepted, event.Accepted},
		"DefaultIsFour":  {"Days.", 0, 0, 95 * time.Hour, event.Duplicate, event.Duplicate},
		"DefaultIsAtEnd": {"After them.", 0, 0, 96 * time.Hour, event.Accepted, event.Accepted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, func(o *Options) { o.DedupeWindow, o.CalloutDedupeWindow = tc.window, tc.calls })
			b.appends(entry(reports, "a"), event.Accepted)
			b.appends(entry(requests, "a"), event.Accepted)
			b.clock.Step(tc.after)
			for more := true; more; { // what housekeeping forgets must not be missed
				var err error
				if more, err = b.forget(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			b.reopen()
			b.appends(entry(reports, "a"), tc.event)
			b.appends(entry(requests, "a"), tc.call)
		})
	}
}
