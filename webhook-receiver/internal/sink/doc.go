// Package sink hands one event to one sink, once, as CloudEvents 1.0 over HTTP.
//
// [Client.Send] makes one attempt: it does not retry, it does not store, and
// whether and when there is another attempt is its caller's business. What went
// wrong is an [*Error], which says whether trying again makes sense.
//
// # What is sent
//
// In binary mode the attributes are headers and the body is the event's data,
// byte for byte. In structured mode the body is one JSON object that holds
// both; JSON data is embedded byte for byte, everything else as base64. In both
// modes the same event is sent in the same way each time.
//
// # What cannot be reached
//
// [Config.DenyCIDRs] is checked on each address that is dialled, when it is
// dialled. So neither a name that resolves to something else the second time,
// nor a redirect, nor an IPv6 form of an IPv4 address gets around it. For the
// same reason HTTP proxies of the environment are not used: the proxy's address
// would be checked, not the sink's.
//
// # What is never shown
//
// Errors, log lines and spans hold neither credentials nor query strings of a
// sink's URI, and nothing of the event.
package sink
