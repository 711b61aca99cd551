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
	// DefaultUsernameKey is the key of a connector's user name in a Secret.
	DefaultUsernameKey = "username"
	// DefaultPasswordKey is the key of a connector's password in a Secret.
	DefaultPasswordKey = "password"
	// DefaultCredentialOverlap is for how long credentials are accepted after their Secret ceased to hold them.
	DefaultCredentialOverlap = time.Hour
	// DefaultNotifyPath is the path that the page of the callout suggests
	// (SAP Concur, Event Notification, Installation Process).
	DefaultNotifyPath = "/concur/v1.0/notify"
	// DefaultTokenKey is the key of an access token in a Secret.
	DefaultTokenKey = "token"
	// DefaultRecoveryInterval is how often failed notifications are listed.
	DefaultRecoveryInterval = 10 * time.Minute
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

// EffectiveKeys are the keys of user name and password.
func (r BasicCredentialsRef) EffectiveKeys() (username, password string) {
	return cmp.Or(r.UsernameKey, DefaultUsernameKey), cmp.Or(r.PasswordKey, DefaultPasswordKey)
}

// EffectiveCredentialOverlap is for how long former credentials are accepted.
func (s *ApplicationConnectorSpec) EffectiveCredentialOverlap() time.Duration {
	if s.CredentialOverlap == nil {
		return DefaultCredentialOverlap
	}
	return s.CredentialOverlap.Duration
}

// EffectivePath is where SAP Concur posts, below the receiver's URL.
func (s *ApplicationConnectorSpec) EffectivePath() string {
	return cmp.Or(s.Path, DefaultNotifyPath)
}

// Recovers reports whether failed notifications are fetched.
func (s *ApplicationConnectorSpec) Recovers() bool { return s.Recovery.BaseURL != "" }

// EffectiveKey is the key of the token.
func (r TokenRef) EffectiveKey() string { return cmp.Or(r.Key, DefaultTokenKey) }

// EffectiveAuthScheme is the word before the token.
func (r *Recovery) EffectiveAuthScheme() AuthScheme { return cmp.Or(r.AuthScheme, AuthOAuth) }

// EffectiveInterval is how often failed notifications are listed.
func (r *Recovery) EffectiveInterval() time.Duration {
	if r.Interval == nil {
		return DefaultRecoveryInterval
	}
	return r.Interval.Duration
}

// IsZero reports whether there is no sink.
func (s Sink) IsZero() bool { return s.URI == "" && s.Ref == SinkRef{} }

// IsService reports whether the object is a Service, whose address follows from its name.
func (r SinkRef) IsService() bool { return r.APIVersion == "v1" && r.Kind == "Service" }
