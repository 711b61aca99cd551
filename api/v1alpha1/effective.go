package v1alpha1

import (
	"cmp"
	"time"
)

// What an absent field stands for.
const (
	// DefaultClientIDKey is the key of the client id in a Secret.
	DefaultClientIDKey = "client_id"
	// DefaultClientSecretKey is the key of the client secret in a Secret.
	DefaultClientSecretKey = "client_secret"
	// DefaultResyncInterval is how often ESS is listed.
	DefaultResyncInterval = 10 * time.Minute
	// DefaultRequestsPerSecond refills the budget of calls to Concur.
	DefaultRequestsPerSecond = 5
	// DefaultBurst is the size of the budget of calls to Concur.
	DefaultBurst = 10
	// DefaultMaxSubscriptions is the documented limit of an application
	// (SAP Concur, Event Subscription Service v4).
	DefaultMaxSubscriptions = 5
	// DefaultFilter matches every event type.
	DefaultFilter = ".*"
)

// EffectiveKeys are the keys of client id and client secret.
func (r ClientCredentialsRef) EffectiveKeys() (clientID, clientSecret string) {
	return cmp.Or(r.ClientIDKey, DefaultClientIDKey), cmp.Or(r.ClientSecretKey, DefaultClientSecretKey)
}

// EffectiveResyncInterval is how often ESS is listed.
func (s *ConcurConnectionSpec) EffectiveResyncInterval() time.Duration {
	if s.ResyncInterval == nil {
		return DefaultResyncInterval
	}
	return s.ResyncInterval.Duration
}

// EffectiveRateLimit is the budget of calls to Concur, with no zero in it.
func (s *ConcurConnectionSpec) EffectiveRateLimit() RateLimit {
	return RateLimit{
		RequestsPerSecond: cmp.Or(s.RateLimit.RequestsPerSecond, DefaultRequestsPerSecond),
		Burst:             cmp.Or(s.RateLimit.Burst, DefaultBurst),
	}
}

// EffectiveMaxSubscriptions is how many subscriptions the application may have.
func (s *ConcurConnectionSpec) EffectiveMaxSubscriptions() int32 {
	return cmp.Or(s.MaxSubscriptions, DefaultMaxSubscriptions)
}

// EffectiveSubscriptionID is the id at ESS.
func (s *EventSubscription) EffectiveSubscriptionID() string {
	return cmp.Or(s.Spec.SubscriptionID, s.Namespace+"."+s.Name)
}

// EffectiveConnectionNamespace is the namespace of the connection referred to.
func (s *EventSubscription) EffectiveConnectionNamespace() string {
	return cmp.Or(s.Spec.ConnectionRef.Namespace, s.Namespace)
}

// EffectiveFilter is the filter that is sent to ESS.
func (s *EventSubscriptionSpec) EffectiveFilter() string {
	return cmp.Or(s.Filter, DefaultFilter)
}

// EffectiveAdoptionPolicy is what happens when the id already exists.
func (s *EventSubscriptionSpec) EffectiveAdoptionPolicy() AdoptionPolicy {
	return cmp.Or(s.AdoptionPolicy, AdoptIfIdentical)
}

// EffectiveDeletionPolicy is what happens at ESS when the object goes.
func (s *EventSubscriptionSpec) EffectiveDeletionPolicy() DeletionPolicy {
	return cmp.Or(s.DeletionPolicy, DeletionDelete)
}

// IsZero reports whether there is no sink.
func (s Sink) IsZero() bool { return s.URI == "" && s.Ref == SinkRef{} }

// IsService reports whether the object is a Service, whose address follows from its name.
func (r SinkRef) IsService() bool { return r.APIVersion == "v1" && r.Kind == "Service" }
