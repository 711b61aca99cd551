package delivery

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

// deliver makes one attempt at the sink.
func (l *loop) deliver(ctx context.Context, s *settings, r event.Record, p permit) event.Settlement {
	f, cutOff := l.attempt(ctx, s.route, *s.route.Sink, r)
	l.inform(s.sink, p, f, cutOff)
	if cutOff {
		l.metrics.count(l.id, targetSink, resultAbandoned)
		return event.Settlement{Abandoned: true}
	}
	if f == nil {
		l.metrics.count(l.id, targetSink, resultDelivered)
		return event.Settlement{}
	}
	how := l.policy.settle(s.route.Delivery, r, *f, l.Clock.Now())
	if how.RetryAt.IsZero() {
		r.Attempts++
		return l.bury(ctx, s, r, *f)
	}
	l.metrics.count(l.id, targetSink, resultRetried)
	return how
}

// bury gives an event up. The dead letter sink gets it at once; only when that fails, by way of the store.
func (l *loop) bury(ctx context.Context, s *settings, r event.Record, f failure) event.Settlement {
	l.metrics.count(l.id, targetSink, resultDead)
	l.Logger.Warn("the event could not be delivered, it is kept as dead",
		"route", l.id.String(), "seq", r.Seq, "attempts", r.Attempts, "cause", f.cause)
	how := event.Settlement{Error: f.text}
	to := s.route.Delivery.DeadLetterSink
	if to == nil {
		return how
	}
	// What the store is told if the dead letter sink does not take it now.
	later := how
	later.ToDeadLetterSink = true
	later.RetryAt = l.Clock.Now().Add(l.policy.jitter(backoff(s.route.Delivery, 1)))
	p := s.dead.take(l.Clock.Now())
	if p == wait {
		return later
	}
	f2, cutOff := l.attempt(ctx, s.route, *to, r)
	l.inform(s.dead, p, f2, cutOff)
	switch {
	case cutOff:
		l.metrics.count(l.id, targetDead, resultAbandoned)
		return later
	case f2 == nil:
		l.metrics.count(l.id, targetDead, resultDelivered)
	case f2.final:
		l.metrics.count(l.id, targetDead, resultDead)
		how.Error += "; the dead letter sink: " + f2.text
	default:
		l.metrics.count(l.id, targetDead, resultRetried)
		return later
	}
	return how
}

// again makes one more attempt at the dead letter sink. While that is down, time is counted as attempts: holding the
// dead back would keep the living from being claimed.
func (l *loop) again(ctx context.Context, s *settings, r event.Record) event.Settlement {
	to := s.route.Delivery.DeadLetterSink
	if to == nil {
		return event.Settlement{Error: "there is no dead letter sink any more"}
	}
	p := s.dead.take(l.Clock.Now())
	if p == wait {
		return l.policy.settle(s.route.Delivery, r, failure{text: "the dead letter sink takes no events"}, l.Clock.Now())
	}
	f, cutOff := l.attempt(ctx, s.route, *to, r)
	l.inform(s.dead, p, f, cutOff)
	switch {
	case cutOff:
		l.metrics.count(l.id, targetDead, resultAbandoned)
		return event.Settlement{Abandoned: true}
	case f == nil:
		l.metrics.count(l.id, targetDead, resultDelivered)
		return event.Settlement{}
	}
	how := l.policy.settle(s.route.Delivery, r, *f, l.Clock.Now())
	if how.RetryAt.IsZero() {
		l.metrics.count(l.id, targetDead, resultDead)
	} else {
		l.metrics.count(l.id, targetDead, resultRetried)
	}
	return how
}

// inform tells a circuit how an attempt ended.
func (l *loop) inform(c *circuit, p permit, f *failure, cutOff bool) {
	if cutOff || f != nil && f.ours {
		c.giveUp(p)
		return
	}
	c.report(p, f, l.Clock.Now())
}

// attempt sends an event once; f is nil when the sink took it. cutOff: the grace of a shutdown was over before that.
func (l *loop) attempt(ctx context.Context, r route.Route, to route.Sink, e event.Record) (f *failure, cutOff bool) {
	timeout := r.Delivery.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer l.metrics.begin(l.id, l.Clock)()
	err := l.send(limited, to, e.Event, r.Delivery.Format)
	if err == nil {
		return nil, false
	}
	told := describe(err)
	return &told, ctx.Err() != nil
}

// send contains a panic of the sender: it costs one attempt, not the process.
func (l *loop) send(ctx context.Context, to route.Sink, e event.Event, format route.Format) (err error) {
	defer func() {
		if said := recover(); said != nil {
			fault := &panicError{stack: debug.Stack()}
			l.Logger.Error("an attempt to deliver panicked, this is a fault of the receiver", "route", l.id.String(), "fault", fault)
			err = fault
		}
	}()
	return l.Sender.Send(ctx, to, e, format)
}

// settle has the store write down how an attempt ended. It insists until the context ends: an outcome that is not
// written makes the sink get the event again.
func (l *loop) settle(ctx context.Context, seq uint64, how event.Settlement) {
	for n := 1; ; n++ {
		err := l.Queue.Settle(seq, how)
		if errors.Is(err, event.ErrNotFound) || errors.Is(err, event.ErrNotClaimed) {
			return // it has been removed meanwhile, or is somebody else's
		}
		l.store(err)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-l.Clock.After(storePause(n)):
		}
	}
}

// heldOver is why an event is dead whose retries would be over, had the sink not been down.
func heldOver(r event.Record, since time.Time) failure {
	text := "the sink has taken no event since " + since.UTC().Format(time.RFC3339) + ", which is longer than all retries take"
	if r.LastError != "" {
		text += "; at last: " + r.LastError
	}
	return failure{text: text, cause: "the sink was down for longer than all retries take"}
}
