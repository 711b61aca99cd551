// Package monitoring holds nothing but tests: that the alerts in config/monitoring, and
// those that the reference proposes, ask for metrics, labels and results that the programs
// have; that Prometheus reads them; and that each fires when it should and not when it
// should not. Prometheus's own engine evaluates them, on series written down in the tests.
//
// What the programs have is what docs/reference lists, which tests of theirs hold against
// their code.
//
// It is a module of its own, so that the operator does not depend on Prometheus.
package monitoring
