package sink

import (
	"errors"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
)

// Found are the addresses of an object's sinks; where it has none, they are empty.
type Found struct{ Sink, DeadLetterSink Address }

// OfSubscription is where the sinks of an EventSubscription were last found, as its status says.
func OfSubscription(status *v1alpha1.EventSubscriptionStatus) Found {
	return Found{
		Sink:           Address{URI: status.SinkURI, CACerts: status.SinkCACerts},
		DeadLetterSink: Address{URI: status.DeadLetterSinkURI, CACerts: status.DeadLetterSinkCACerts},
	}
}

// OfConnector is where the sinks of an ApplicationConnector were last found, as its status says.
func OfConnector(status *v1alpha1.ApplicationConnectorStatus) Found {
	return Found{
		Sink:           Address{URI: status.SinkURI, CACerts: status.SinkCACerts},
		DeadLetterSink: Address{URI: status.DeadLetterSinkURI, CACerts: status.DeadLetterSinkCACerts},
	}
}

// After is where the sinks are for the receiver after a pass that did not find
// them, because of err or because it had no need to. What was last found for this
// very spec serves on while a sink is away; once the spec changed (edited), or
// when the sink may not be used, there is none and events wait.
func (f Found) After(err error, edited bool) Found {
	for _, unusable := range []error{failure.ErrSinkNotAllowed, failure.ErrSinkInvalid, failure.ErrCABundleInvalid} {
		if errors.Is(err, unusable) {
			return Found{}
		}
	}
	if edited && errors.Is(err, failure.ErrSinkNotReady) {
		return Found{}
	}
	return f
}
