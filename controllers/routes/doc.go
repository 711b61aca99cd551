// Package routes renders the receiver's routes file: for whom it takes events,
// and where it hands them. The file is one key of one Secret, which is made with
// the receiver's manifests and mounted into it; the receiver itself talks to no
// API server.
//
// The file also holds the user names and passwords of ApplicationConnectors, and
// is the only place that remembers those that were replaced, until the overlap of
// each connector has passed ([World]).
//
// [Render] is pure. It holds every EventSubscription that uses the receiver for
// as long as the object is there, also while it is suspended or being deleted:
// ESS may still deliver. The [Reconciler] has one key in its queue, gathers
// changes for a moment, and writes only what differs.
//
// The keys of the file are the receiver's contract (docs/reference of the
// receiver). This package does not import its parser, and a test of the parser
// reads what this package renders, testdata/routes.yaml: two readings of one
// contract.
package routes
