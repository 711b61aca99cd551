// Package recovery fetches the notifications that SAP Concur could not post to a
// connector and lists as FAILED, and has the receiver store them.
//
// Each is posted to the connector's own URL with the connector's own credentials,
// so that it is proven, stored and answered exactly as if it had arrived. Only
// then, and only if the connector wants it, it is deleted at SAP Concur. Whoever
// stops in between fetches it again: a duplicate at most, which the receiver
// recognises by its bytes, and never a loss.
//
// One run at a time for each connector goes through one list, does a bounded
// number of things, and ends at the first failure that the next notification
// would meet as well. What became of it is an [Outcome]; the controller of
// ApplicationConnectors reports it.
package recovery
