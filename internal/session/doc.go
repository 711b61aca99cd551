// Package session keeps what one process knows of each ConcurConnection, and
// does what it does at Concur in its name.
//
// A [Session] is one application in one data center: an [ess.Client] with its
// token, and the [Inventory], which is the answer of the last LIST kept up to
// date by every later read. One LIST per resync feeds all objects of a
// connection; an object that equals its entry costs no call.
//
// Every call passes the [Governor] of its application, which all connections
// of that application share: it spends one budget, the most urgent first (see
// [WithUrgency]), and makes no call while a Retry-After is in force. While a
// session fails for a reason at Concur, only [Session.Refresh] calls, as a
// probe; [Session.MayCall] tells the others.
//
// The connection controller configures and refreshes sessions. The
// subscription controller asks the inventory first, and reads and writes
// through the session only when something differs. Sessions tell both through
// the [Registry] when they should look again.
//
// A session outlives its Secret: it keeps its client until the connection is
// gone, so that pending deletions can be finished. Nothing here writes to the
// API server, and nothing is kept on disk: after a restart the first LIST
// brings everything back.
package session
