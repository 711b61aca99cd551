package delivery_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

// buried is a delivery with a dead letter sink.
func buried(retries int) route.Delivery {
	d := retry(retries)
	d.DeadLetterSink = sinkAt("cemetery")
	return d
}

func TestTheDeadGoToTheDeadLetterSink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, table{routed(reports, buried(2))}, nil)
		w.sinks.on("reports", always(answer{final: true}))
		w.queue.add(reports, 20)
		after(time.Second)
		if n := w.sinks.attempts("reports"); n != 20 {
			t.Errorf("got %d attempts, want one for each event that is refused", n)
		}
		if n := w.sinks.attempts("cemetery"); n != 20 {
			t.Errorf("got %d at the dead letter sink, want 20", n)
		}
		r := w.queue.record(t, 1)
		if r.State != event.Dead || r.ToDeadLetterSink || r.LastError != "the sink answered" {
			t.Errorf("got %+v, want it to be kept as dead, with the reason", r)
		}
	})
}

func TestADeadLetterSinkIsRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, table{routed(reports, buried(3))}, nil)
		w.sinks.on("reports", always(answer{final: true}))
		w.sinks.on("cemetery", always(answer{}))
		w.queue.add(reports, 1)
		after(3 * time.Second)
		if r := w.queue.record(t, 1); r.State != event.Dead || !r.ToDeadLetterSink {
			t.Errorf("got %s, on its way: %t", r.State, r.ToDeadLetterSink)
		}
		w.sinks.on("cemetery", nil)
		after(time.Minute)
		if r := w.queue.record(t, 1); r.State != event.Dead || r.ToDeadLetterSink {
			t.Errorf("got %s, on its way: %t", r.State, r.ToDeadLetterSink)
		}
		if n := w.sinks.attempts("reports"); n != 1 {
			t.Errorf("the sink that refused it got it %d times", n)
		}
	})
}

func TestADeadLetterSinkThatFailsLeavesThemDead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, table{routed(reports, buried(2))}, nil)
		w.sinks.on("reports", always(answer{final: true}))
		w.sinks.on("cemetery", always(answer{down: true}))
		w.queue.add(reports, 100)
		after(10 * time.Minute)
		for seq := range uint64(100) {
			if r := w.queue.record(t, seq+1); r.State != event.Dead || r.ToDeadLetterSink || r.LastError == "" {
				t.Fatalf("%d: got %s (%s), on its way: %t", r.Seq, r.State, r.LastError, r.ToDeadLetterSink)
			}
		}
		if n := w.sinks.attempts("cemetery"); n > 60 {
			t.Errorf("a dead letter sink that is down got %d attempts in ten minutes", n)
		}
	})
}

func TestADeadLetterSinkThatRefusesEndsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, table{routed(reports, buried(2))}, nil)
		w.sinks.on("reports", always(answer{final: true}))
		w.sinks.on("cemetery", always(answer{final: true}))
		w.queue.add(reports, 1)
		after(time.Minute)
		r := w.queue.record(t, 1)
		if r.State != event.Dead || r.ToDeadLetterSink || !strings.Contains(r.LastError, "; the dead letter sink: ") || w.sinks.attempts("cemetery") != 1 {
			t.Errorf("got %s (%s) after %d attempts", r.State, r.LastError, w.sinks.attempts("cemetery"))
		}
	})
}

func TestADeadLetterSinkThatHangsDelaysNoDelivery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, table{routed(reports, buried(0))}, nil)
		w.sinks.on("cemetery", hang)
		w.sinks.on("reports", always(answer{final: true}))
		w.queue.add(reports, 500)
		after(2 * time.Minute)
		w.sinks.on("reports", nil)
		w.queue.add(reports, 500)
		after(time.Second)
		if n := w.queue.count(event.Delivered); n != 500 {
			t.Errorf("got %d delivered within a second, want 500", n)
		}
	})
}

func TestADeadLetterSinkThatWasTakenAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, table{routed(reports, buried(9))}, nil)
		w.sinks.on("reports", always(answer{final: true}))
		w.sinks.on("cemetery", always(answer{}))
		w.queue.add(reports, 1)
		after(time.Second)
		w.SetRoutes(table{routed(reports, retry(9))})
		after(time.Hour)
		if r := w.queue.record(t, 1); r.State != event.Dead || r.ToDeadLetterSink || r.LastError == "" {
			t.Errorf("got %s (%s), on its way: %t", r.State, r.LastError, r.ToDeadLetterSink)
		}
	})
}

func TestAShutdownWhileBuryingLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, table{routed(reports, buried(0))}, nil)
		w.sinks.on("reports", always(answer{final: true}))
		w.sinks.on("cemetery", func(ctx context.Context) error { <-ctx.Done(); return answer{down: true} })
		w.queue.add(reports, 1)
		after(time.Second)
		w.stop()
		<-w.ended
		if r := w.queue.record(t, 1); r.State != event.Dead || !r.ToDeadLetterSink {
			t.Errorf("got %s, on its way: %t; want it to go on after the start", r.State, r.ToDeadLetterSink)
		}
	})
}
