// Package admin is the receiver's second port: health, metrics, statistics, and
// the events in the store, for operators, for the manager and for kubectl ess.
// Nothing here faces Concur; the port belongs inside the cluster.
//
// # Use
//
// [New] makes a [Handler] from a [Config]; [Handler.Server] puts it into an
// [http.Server] with the limits it counts on. When that server shuts down, the
// live tails end with it.
//
// # What it promises
//
//   - All but /healthz and /readyz need a token. The token is asked for anew with
//     each request, so that a rotation acts at once, and compared in constant time.
//   - What is misspelt selects nothing: an unknown or empty query parameter or
//     JSON field is an error, for it could mean all events instead of a few.
//   - All answers are bounded: lists are paged, tails are counted, and a tail that
//     reads too slowly misses events, and is told how many, rather than holding
//     up the store.
//   - Errors are problem documents (RFC 9457) that say what to do. They, the log
//     and the metrics never repeat an event or what was asked for.
//
// The file openapi.json describes every call, and is served as /openapi.json;
// tests hold it to the handler.
package admin
