package intake

import "time"

// The limits of the events port. ESS gives up on an answer after 60 s and then delivers again (SAP Concur, Event
// Subscription Service v4, Retry Policy), so what we wait for must be over before.
const (
	// defaultMaxBody is far above any documented event; the largest sample has 4 KiB.
	defaultMaxBody = 4 << 20
	// defaultMaxInFlight is requests that are proved and stored at once. An older page of Concur's names 24 sender threads; with 1,024 the
	// store has been stuck for a while, and to be told so is better than to wait.
	defaultMaxInFlight = 1024
	// defaultMaxBytes is what all bodies in memory may take together: half of what a small pod has.
	defaultMaxBytes = 128 << 20
	// defaultAppendTimeout is for the store; a healthy disk takes milliseconds.
	defaultAppendTimeout = 20 * time.Second

	// defaultMaxConnections keeps file descriptors and TLS buffers (about 40 KiB each) within bounds.
	defaultMaxConnections = 4096
	// headerTimeout is for a TLS handshake, and for the headers of a request: one or two round trips each.
	headerTimeout = 10 * time.Second
	// bodyTimeout is for a whole body.
	bodyTimeout = 30 * time.Second
	// bodyGrace and bodyRate bound a body that trickles: after the grace it must have come at this rate, in bytes
	// per second, on the average. A modem does it.
	bodyGrace = 5 * time.Second
	bodyRate  = 4 << 10
	// readTimeout bounds what no handler waits for, such as the handshake of a connection.
	readTimeout = 45 * time.Second
	// writeTimeout counts from the end of the headers: it must cover body and store.
	writeTimeout = 60 * time.Second
	// restTimeout is for the rest of a body whose request has been refused.
	restTimeout = time.Second
	// idleTimeout keeps connections for the next event. It is above the 600 s after which the slowest of the common
	// load balancers forget theirs, so that they close first and no request meets a closing connection.
	idleTimeout = 11 * time.Minute
	// maxHeaderBytes is generous: beyond, Go answers 431, which loses the event. Chains of certificates that a
	// proxy forwards have 8 KiB or so.
	maxHeaderBytes = 1 << 20
	// maxStreams is per HTTP/2 connection; a proxy may carry all of ESS over one.
	maxStreams = 250
	// pingAfter and pingTimeout find HTTP/2 connections whose other end has gone without a word.
	pingAfter   = 30 * time.Second
	pingTimeout = 15 * time.Second
	// firstRead is how much of a body is read at first; most events fit. It is also the least that a request is
	// charged for, so that defaultMaxBytes bounds how many can be coming in: 32,768.
	firstRead = 4 << 10
)
