// Package eventsubscription reconciles EventSubscriptions with the
// subscriptions that ESS holds.
//
// One pass reads top to bottom: finalizer, connection, desired subscription,
// comparison, at most one PUT, read back, conditions, one status patch. The
// session's inventory decides whether there is anything to do; an object that
// equals its entry costs no call. Before anything is written at ESS, the
// subscription is read once more, so that no decision to write rests on an old
// listing. A subscription is never deleted and made again: ESS would forget
// every connected company.
//
// [decide] is the whole policy of ownership, and package failure the whole
// policy of failures.
package eventsubscription
