package delivery_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/delivery"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

func TestAChangedSinkIsUsedFromTheNextAttemptOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, table{routed(reports, retry(-1))}, nil)
		w.sinks.on("reports", always(answer{down: true}))
		w.queue.add(reports, 100)
		after(time.Hour)
		moved := routed(reports, retry(-1))
		moved.Sink = sinkAt("new")
		w.SetRoutes(table{moved})
		after(5 * time.Minute)
		if n := w.queue.count(event.Delivered); n != 100 || w.sinks.attempts("new") != 100 {
			t.Errorf("got %d delivered, %d attempts at the new sink", n, w.sinks.attempts("new"))
		}
	})
}

func TestEventsWaitForARouteOrASink(t *testing.T) {
	t.Parallel()
	none := table{}
	await := table{{ID: reports, AwaitSink: true, Delivery: retry(3)}}
	without := table{{ID: reports, Delivery: retry(3)}}
	for name, routes := range map[string]table{"NoRoute": none, "AwaitSink": await, "NoSink": without} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := start(t, routes, nil)
				w.queue.add(reports, 5)
				after(100 * time.Hour)
				if n := len(w.sinks.got); n != 0 {
					t.Fatalf("got %d attempts", n)
				}
				w.SetRoutes(table{routed(reports, retry(3))})
				after(time.Second)
				if n := w.queue.count(event.Delivered); n != 5 {
					t.Fatalf("got %d delivered once there is a sink, want 5", n)
				}
				w.SetRoutes(routes)
				after(time.Second)
				w.queue.add(reports, 1)
				after(time.Hour)
				if r := w.queue.record(t, 6); r.State != event.Pending || r.Attempts != 0 {
					t.Errorf("got %s after the sink went, want that the next event waits", r.State)
				}
			})
		})
	}
}

func TestARouteThatGoesAndComesBackAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		routes := table{routed(reports, retry(3))}
		w := start(t, routes, nil)
		w.sinks.on("reports", func(context.Context) error { time.Sleep(time.Second); return nil })
		w.queue.add(reports, 3)
		synctest.Wait() // three are under way
		w.SetRoutes(table{})
		w.SetRoutes(routes)
		w.queue.add(reports, 3)
		after(5 * time.Second)
		if n := w.queue.count(event.Delivered); n != 6 || w.sinks.attempts("reports") != 6 {
			t.Errorf("got %d delivered by %d attempts, want 6 by 6", n, w.sinks.attempts("reports"))
		}
	})
}

func TestAShutdownLetsAttemptsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, table{routed(reports, retry(3))}, nil)
		w.sinks.on("reports", func(context.Context) error { time.Sleep(15 * time.Second); return nil })
		w.queue.add(reports, 40)
		after(time.Second)
		begun := time.Now()
		w.stop()
		<-w.ended
		if took := time.Since(begun); took != 14*time.Second {
			t.Errorf("took %v, want the 14 s that the attempts needed", took)
		}
		if n := w.queue.count(event.Delivered); n != 16 || w.sinks.attempts("reports") != 16 {
			t.Errorf("got %d delivered by %d attempts, want those that were under way", n, w.sinks.attempts("reports"))
		}
	})
}

func TestAShutdownGivesBackWhatItCutsOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		patient := retry(0)
		patient.Timeout = time.Hour
		w := start(t, table{routed(reports, patient)}, func(c *delivery.Config) { c.Grace = 5 * time.Second })
		w.sinks.on("reports", hang)
		w.queue.add(reports, 3)
		after(time.Second)
		begun := time.Now()
		w.stop()
		<-w.ended
		if took := time.Since(begun); took != 5*time.Second {
			t.Errorf("took %v, want the grace", took)
		}
		for seq := range uint64(3) {
			if r := w.queue.record(t, seq+1); r.State != event.Pending || r.Attempts != 0 || w.queue.claimed[r.Seq] {
				t.Errorf("got %s after %d attempts, want it given back as it was", r.State, r.Attempts)
			}
		}
	})
}

func TestAStoreThatCannotBeReadIsLeftAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, table{routed(reports, retry(3))}, nil)
		w.queue.breakDown(event.ErrUnavailable)
		w.queue.add(reports, 5)
		after(10 * time.Minute)
		if n := w.queue.calls; n > 80 {
			t.Errorf("got %d calls in ten minutes", n)
		}
		w.queue.breakDown(nil)
		after(10 * time.Second)
		if n := w.queue.count(event.Delivered); n != 5 {
			t.Errorf("got %d delivered, want 5", n)
		}
		w.queue.breakDown(event.ErrUnavailable)
		w.stop()
		<-w.ended // a store that stays broken does not keep it from ending
	})
}

func TestAPanicCostsOneAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, table{routed(reports, retry(3))}, nil)
		w.sinks.on("reports", func(context.Context) error { panic("of one event") })
		w.queue.add(reports, 10)
		after(0)
		w.sinks.on("reports", nil)
		after(2 * time.Second)
		if n := w.queue.count(event.Delivered); n != 10 {
			t.Errorf("got %d delivered by the first retry, want 10", n)
		}
	})
}

func TestAttemptsHaveTheirTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := retry(0)
		d.Timeout = 7 * time.Second
		w := start(t, table{routed(reports, d)}, nil)
		w.sinks.on("reports", hang)
		w.queue.add(reports, 1)
		after(7*time.Second - 1)
		if n := w.queue.count(event.Dead); n != 0 {
			t.Error("the attempt ended too early")
		}
		after(1)
		if n := w.queue.count(event.Dead); n != 1 {
			t.Error("the attempt goes on after its time")
		}
	})
}

func TestRetryAfterIsHeeded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, table{routed(reports, retry(1))}, nil)
		w.sinks.on("reports", always(answer{wait: 10 * time.Minute}))
		w.queue.add(reports, 1)
		after(10*time.Minute - 1)
		if n := w.sinks.attempts("reports"); n != 1 {
			t.Errorf("got %d attempts before the sink wants the next", n)
		}
		after(1)
		if n := w.sinks.attempts("reports"); n != 2 {
			t.Errorf("got %d attempts when the sink wants the next", n)
		}
	})
}

func TestOneRunAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, table{}, nil)
		synctest.Wait()
		if err := w.Run(t.Context()); err == nil {
			t.Error("got no error from a second Run")
		}
	})
}

// An error that tells nothing of itself is taken for no answer.
func TestAPlainErrorIsRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, table{{ID: reports, Sink: sinkAt("reports"), Delivery: route.DefaultDelivery()}}, nil)
		w.sinks.on("reports", always(errors.New("anything")))
		w.queue.add(reports, 1)
		after(0)
		w.sinks.on("reports", nil)
		after(2 * time.Second)
		if r := w.queue.record(t, 1); r.State != event.Delivered || r.Attempts != 2 {
			t.Errorf("got %s after %d attempts", r.State, r.Attempts)
		}
	})
}
