// Package event says what an event is in the receiver, and what every part may
// say about one to another. It imports nothing of ours, and all may import it.
//
// An [Event] is one delivery as it came in: the bytes, the headers, and what
// [Parse] read from them. It never changes once stored. How its delivery
// stands is kept beside it, in a [Record].
package event
