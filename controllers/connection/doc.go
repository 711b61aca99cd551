// Package connection reconciles ConcurConnections: it reads the credentials,
// configures the connection's session, lists ESS once per resync, and reports.
//
// A connection wakes its EventSubscriptions through a bell when the inventory
// was read again or the connection began or ceased to work. It is woken by its
// own spec, by its Secret (watched by metadata only), by EventSubscriptions
// that come, go or begin to hold a subscription, and by the bell of those that
// met a failure which every object of the connection would meet.
package connection
