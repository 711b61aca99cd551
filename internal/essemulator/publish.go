package essemulator

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Publish makes an event happen and returns to how many subscriptions it will be delivered, which is none
// when no subscription fits its topic, company, groups and type. [Emulator.Run] does the deliveries. The
// error is [ErrInvalid] or [ErrBacklogFull]; then nothing is delivered.
func (e *Emulator) Publish(ev Event) (deliveries int, err error) {
	env := envelopeOf(ev.Body)
	if ev, err = ev.complete(env); err != nil {
		return 0, err
	}
	body := slices.Clone(ev.Body)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweep()
	var fitting []string
	for _, id := range slices.Sorted(maps.Keys(e.subs)) {
		if e.wants(e.subs[id], &ev) {
			fitting = append(fitting, id)
		}
	}
	if e.waiting+len(fitting) > maxWaiting {
		return 0, fmt.Errorf("publishing an event: %d deliveries wait already: %w", e.waiting, ErrBacklogFull)
	}
	now, correlation := e.clock.Now(), correlationOf(env)
	for _, id := range fitting {
		d := &delivery{body: body, repeat: e.random.Float64() < e.assume.Duplicates, Delivery: Delivery{
			SubscriptionID: id, Topic: ev.Topic, CompanyID: ev.CompanyID, EventType: ev.Type, EventID: env.id,
			CorrelationID: correlation, PublishedAt: now, Outcome: Pending, NextAttempt: now,
		}}
		e.enter(d)
		e.await(d)
	}
	e.changed()
	return len(fitting), nil
}

// correlationOf is the value of the correlation header of all deliveries of an event. Concur does not say
// how header and body relate; we take the body's where it can be a header at all.
func correlationOf(env envelope) string {
	if id := env.correlationID; id != "" && len(id) <= 256 && printable(id) {
		return id
	}
	return uuid.NewString()
}

func printable(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// expiry is when the emulator gives up on a delivery; e.mu is held.
func (e *Emulator) expiry(d *delivery) time.Time { return d.PublishedAt.Add(e.assume.Retention) }
