// Package statistics brings what the receiver counted into the status of
// objects: when the last event arrived, how many wait, how many were given up.
//
// One [Poller] asks the receiver's admin port once a minute for all objects
// together, and keeps the answer in memory. Events may come by the thousand a
// minute, and the API server must not hear of each. So an object is woken only
// when there is something new that a person cares about ([worth]), and then not
// again for five minutes; traffic alone is written once an hour.
//
// A receiver that does not answer changes nothing: status keeps what was last
// known, and a metric and one line in the log tell.
package statistics
