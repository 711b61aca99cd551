// Package callout reads what the Event Notification callout of SAP Concur posts: XML about a report or request
// that entered a workflow step. It does no I/O; [Parse] makes an event of any bytes, and [Set] tells by user name
// and password which connector they were sent to.
//
// # What is read
//
// The page (SAP Concur, Callouts, Post Event Notification) prints one sample, and the list of failed notifications
// (Get Notifications by Status) another, in a namespace, with the elements in another order and another form of
// date. So elements are known by their local names, in any namespace and order:
//
//   - EventType, ObjectType and ObjectURI must be there, once, with text in them. ObjectURI is opaque: Concur's own
//     sample has a % in it that escapes nothing, so nobody here parses or encodes it.
//   - EventDateTime may be absent. What no known form fits counts as absent when the event gets its time, and is
//     handed on as it was written.
//   - Context may be absent. <Context/>, i:nil="true" and white space alone all say that there is none. As an
//     element without text is empty whatever i:nil says, no attribute is ever looked at.
//   - Other elements are passed over, whatever is in them.
//
// White space around a text is not part of it.
//
// What cannot be read like this is authentic all the same, as the caller has checked before. Such a notification goes
// into quarantine: stored, visible, not delivered. Event.Quarantine says why, in words that quote nothing of it.
// An element that is there twice could mean one thing here and another thing to the next reader, so it is quarantined,
// as is an element inside one that should hold text.
//
// # What is refused in XML
//
// No markup declaration (DOCTYPE, ENTITY and such) is read, and so no entities but XML's own five and character
// references. See the constants for the limits. They hold while reading, so that a hostile body costs little
// memory beyond its own size, and ends early.
//
// # Encodings
//
// A byte order mark outranks the charset of the Content-Type, that outranks the XML declaration, and UTF-8 is what
// remains (RFC 7303, section 3). UTF-8, UTF-16, US-ASCII, ISO-8859-1 and windows-1252 are known; the last two are
// read alike, as browsers do. Text that begins like XML in one byte per character is not UTF-16, whatever it says:
// writers that print to a string first and encode it later declare the wrong one. Concur's page has a no-break
// space in its XML declaration; nothing is taken from the declaration but the encoding, so that does not matter.
//
// # Identity
//
// A notification has no id. The hash of the body serves, so two that say the same in the same bytes are one event.
// That is right for one that is posted again, and wrong for a report that enters the same step twice while
// EventDateTime, as in Concur's sample, has the day only.
package callout
