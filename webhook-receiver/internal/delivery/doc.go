// Package delivery takes stored events to their sinks: when, how often, and
// what becomes of those that no sink takes.
//
// A [Dispatcher] has one loop per route, so that a sink that is slow or dead
// delays no other. A loop claims what is due, up to its free slots, lets each
// attempt run by itself, and has the store write down how it ended. In between
// it sleeps until the store has something new, until the next event is due, or
// until a slot is free; it does not poll.
//
// # Retries
//
// Which answers are worth another attempt, and how delays grow, is Knative's
// rule for its DeliverySpec; see [Dispatcher] for the details. Due times are in
// the store, so a restart neither forgets nor hastens a retry.
//
// # When a sink is down
//
// After some failures in a row that say "no event would have been taken" (no
// answer, 429, 5xx) the route's circuit opens: one event at a time is tried,
// the earliest due, with growing pauses, until the sink takes or refuses one
// by an answer of its own. The others are not tried, and no attempt is counted
// for them. An outage thus costs the backlog few of its retries, and the sink
// that comes back is not met by all of them at once.
//
// "retry: N" still ends: an event whose remaining retries would long be over,
// had they been made, is dead once the sink has been down for all that time,
// and for an hour at least.
//
// # Promises
//
// At least once: an event is settled as delivered only after a 2xx. An attempt
// that was cut off by a shutdown is given back uncounted. When the store takes
// no writes, slots stay occupied until it does, so that the sink does not get
// the same events over and over.
package delivery
