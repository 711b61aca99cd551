package delivery

import (
	"bytes"
	"context"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

const (
	// recheck is when to look again for an event that should be claimable and is not. The store tells of it before;
	// this is only so that a mistake does not make a busy loop.
	recheck = time.Second

	firstStorePause   = 100 * time.Millisecond
	longestStorePause = 10 * time.Second
)

// loop delivers the events of one route.
type loop struct {
	*Dispatcher
	id       event.RouteID
	settings atomic.Pointer[settings]
	wake     chan struct{} // capacity 1
	gone     chan struct{} // closed when the route is
	done     chan struct{} // one for each attempt that ended; never blocks

	// Those of the loop's own goroutine.
	inFlight      int
	storeFailures int // in a row
}

// settings are what an attempt goes by, from its beginning to its end.
type settings struct {
	route route.Route
	sink  *circuit
	dead  *circuit // of the dead letter sink
}

func newLoop(d *Dispatcher, r route.Route) *loop {
	l := &loop{
		Dispatcher: d,
		id:         r.ID,
		wake:       make(chan struct{}, 1),
		gone:       make(chan struct{}),
		done:       make(chan struct{}, d.Slots),
	}
	l.settings.Store(&settings{route: r, sink: l.newCircuit(targetSink), dead: l.newCircuit(targetDead)})
	return l
}

// configure changes what the next attempts go by. What is known of a sink is forgotten when it is another one.
func (l *loop) configure(r route.Route) {
	old := l.settings.Load()
	if reflect.DeepEqual(old.route, r) {
		return
	}
	changed := &settings{route: r, sink: old.sink, dead: old.dead}
	if !same(old.route.Sink, r.Sink) {
		changed.sink = l.newCircuit(targetSink)
	}
	if !same(old.route.Delivery.DeadLetterSink, r.Delivery.DeadLetterSink) {
		changed.dead = l.newCircuit(targetDead)
	}
	l.settings.Store(changed)
	l.poke()
}

func same(a, b *route.Sink) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.URI.String() == b.URI.String() && bytes.Equal(a.CABundle, b.CABundle)
}

func (l *loop) newCircuit(target string) *circuit {
	gauge := l.metrics.circuit(l.id, target)
	gauge.Set(0)
	log := l.Logger.With("route", l.id.String(), "target", target)
	return &circuit{jitter: l.policy.jitter, told: func(down bool, f failure) {
		if down {
			gauge.Set(1)
			log.Warn("the sink takes no events, it is tried with one at a time from now on", "cause", f.cause)
			return
		}
		gauge.Set(0)
		log.Info("the sink takes events again")
	}}
}

func (l *loop) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run goes on until the context ends or the route is gone, and then until its attempts have ended.
func (l *loop) run(ctx, attempts context.Context) {
	defer l.ended(l)
	changed := l.Queue.Changed(l.id)
	for ctx.Err() == nil && !l.stopped() {
		l.sleep(ctx, changed, l.fill(attempts))
	}
	for ; l.inFlight > 0; l.inFlight-- {
		<-l.done
	}
}

func (l *loop) stopped() bool {
	select {
	case <-l.gone:
		return true
	default:
		return false
	}
}

// sleep returns when there may be something to do; until is when at the latest, zero: no such time.
func (l *loop) sleep(ctx context.Context, changed <-chan struct{}, until time.Time) {
	var due <-chan time.Time
	if !until.IsZero() {
		length := until.Sub(l.Clock.Now())
		if length <= 0 {
			length = recheck
		}
		timer := l.Clock.NewTimer(length)
		defer timer.Stop()
		due = timer.C()
	}
	select {
	case <-l.done:
		l.inFlight--
	case <-changed:
	case <-due:
	case <-l.wake:
	case <-l.gone:
	case <-ctx.Done():
	}
}

// fill begins attempts until there is no free slot or nothing is due, and returns when to look again; zero: when
// something changes.
func (l *loop) fill(attempts context.Context) time.Time {
	s := l.settings.Load()
	if s.route.Sink == nil {
		return time.Time{}
	}
	for l.inFlight < l.Slots {
		limit := l.Slots - l.inFlight
		switch p, again := s.sink.ask(l.Clock.Now()); p {
		case wait:
			return again
		case probe:
			limit = 1
		}
		claimed, next, err := l.Queue.Claim(l.id, limit)
		l.store(err)
		if err != nil {
			l.storeFailures++
			return l.Clock.Now().Add(storePause(l.storeFailures))
		}
		l.storeFailures = 0
		for _, r := range claimed {
			l.begin(attempts, s, r)
		}
		if len(claimed) < limit {
			return next
		}
	}
	return time.Time{}
}

// storePause is how long to leave a store alone after n failures in a row, n from 1.
func storePause(n int) time.Duration {
	return min(firstStorePause<<min(n-1, 16), longestStorePause)
}

// begin makes the attempt for an event that was claimed, in a goroutine of its own.
func (l *loop) begin(ctx context.Context, s *settings, r event.Record) {
	work := l.choose(s, r)
	l.inFlight++
	go func() {
		defer func() { l.done <- struct{}{} }()
		l.settle(ctx, r.Seq, work(ctx))
	}()
}

// choose says what is to be done with an event. It asks the circuit here, in the loop's own goroutine, so that the
// next claim already knows of the probe.
func (l *loop) choose(s *settings, r event.Record) func(context.Context) event.Settlement {
	if r.ToDeadLetterSink {
		return func(ctx context.Context) event.Settlement { return l.again(ctx, s, r) }
	}
	since := s.sink.openSince()
	if now := l.Clock.Now(); !since.IsZero() && l.policy.over(s.route.Delivery, r, since, now) {
		return func(ctx context.Context) event.Settlement { return l.bury(ctx, s, r, heldOver(r, since)) }
	}
	p := s.sink.take(l.Clock.Now())
	return func(ctx context.Context) event.Settlement { return l.deliver(ctx, s, r, p) }
}
