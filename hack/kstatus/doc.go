// Package kstatus holds nothing but a test: what Flux and the other tools that go by
// kstatus make of our objects. It computes the status of every recorded object, one of
// each kind with each reason, by the library that Flux uses and by the one that it came
// from, and holds it against what docs/reference/conditions.md tells users.
//
// It is a module of its own, so that the operator does not depend on the second library.
package kstatus
