package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ess-operator/ess-operator/internal/version"
)

// build tells which build of the manager this is, so that a dashboard shows a rollout.
func build() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "ess_operator_build_info",
		Help:        "Always 1; the label says which build of the manager this is.",
		ConstLabels: prometheus.Labels{"version": version.String()},
	}, func() float64 { return 1 })
}
