package verify

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// The methods, as metrics and failures name them.
const (
	methodCertificate = "certificate"
	methodForwarded   = "forwarded"
	methodSignature   = "signature"
)

type metrics struct {
	proof   *prometheus.CounterVec
	matches *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) (m metrics, err error) {
	m.proof, err = register(r, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ess_receiver_proof_total",
		Help: "Checks whether a request comes from Concur, by method and result. Every method that is on checks every request.",
	}, []string{"method", "result"}))
	if err != nil {
		return metrics{}, err
	}
	m.matches, err = register(r, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ess_receiver_signature_matches_total",
		Help: "Signatures that were proved, by the name of the key and the algorithm.",
	}, []string{"key", "algorithm"}))
	return m, err
}

// register gives the collector that r has of this kind, so that the policy after a reload counts on.
func register(r prometheus.Registerer, c *prometheus.CounterVec) (*prometheus.CounterVec, error) {
	if r == nil {
		return c, nil
	}
	err := r.Register(c)
	var already prometheus.AlreadyRegisteredError
	if errors.As(err, &already) {
		if existing, ok := already.ExistingCollector.(*prometheus.CounterVec); ok {
			return existing, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("registering a metric: %w", err)
	}
	return c, nil
}

// count counts the outcome of a check; a nil failure is a proof.
func (m metrics) count(method string, failure *CheckError) {
	var kind error
	if failure != nil {
		kind = failure.Kind
	}
	m.proof.WithLabelValues(method, results[kind]).Inc()
}
