package delivery_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

func TestEventsAreDelivered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, table{routed(reports, retry(3))}, nil)
		w.queue.add(reports, 100)
		after(time.Second)
		if n := w.queue.count(event.Delivered); n != 100 {
			t.Errorf("got %d delivered, want 100", n)
		}
		if n := w.sinks.attempts("reports"); n != 100 {
			t.Errorf("got %d attempts, want 100", n)
		}
	})
}

func TestRetriesEndInDeath(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, table{routed(reports, retry(3))}, nil)
		w.sinks.on("reports", always(answer{}))
		w.queue.add(reports, 1)
		after(2*time.Second + 4*time.Second + 8*time.Second)
		r := w.queue.record(t, 1)
		if r.State != event.Dead || r.Attempts != 4 || r.LastError != "the sink answered" {
			t.Errorf("got %s after %d attempts (%s), want dead after the first and 3 more", r.State, r.Attempts, r.LastError)
		}
	})
}

func TestADeadSinkDelaysNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		other := event.RouteID{Kind: event.Subscription, Namespace: "finance", Name: "other"}
		w := start(t, table{routed(other, retry(-1)), routed(reports, retry(-1))}, nil)
		w.sinks.on("other", hang)
		w.queue.add(other, 300)
		w.queue.add(reports, 300)
		after(0)
		if n := w.queue.count(event.Delivered); n != 300 {
			t.Errorf("got %d delivered while the other sink hangs, want 300", n)
		}
	})
}

func TestAStoreThatTakesNoWritesIsLeftAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, table{routed(reports, retry(3))}, nil)
		w.sinks.on("reports", func(context.Context) error { w.queue.breakDown(event.ErrUnavailable); return nil })
		w.queue.add(reports, 1)
		after(time.Minute)
		if n := w.queue.calls; n > 40 {
			t.Errorf("got %d calls in a minute: that is no pause", n)
		}
		w.queue.breakDown(nil)
		after(10 * time.Second)
		if got := w.queue.record(t, 1); got.State != event.Delivered || w.sinks.attempts("reports") != 1 {
			t.Errorf("got %s after %d attempts, want that the outcome of the first is written down", got.State, w.sinks.attempts("reports"))
		}
	})
}
