package v1alpha1

// Names that the operator puts on objects or reads from them.
const (
	// Finalizer holds an object until what it stands for at Concur is settled.
	Finalizer = "concur.ess-operator.io/finalizer"

	// ReconcileRequestedAtAnnotation asks for a reconcile now, with a fresh
	// look at ESS. Any new value counts; a time is customary.
	ReconcileRequestedAtAnnotation = "concur.ess-operator.io/reconcile-requested-at"
)

// Condition types. Ready is always present. ReconcilingCondition,
// StalledCondition, DriftedCondition and AtRiskCondition are present only while True.
const (
	// ReadyCondition of a ConcurConnection: a token was obtained and ESS was
	// listed with it. Of an EventSubscription: ESS holds exactly this
	// subscription, at this generation, seen by a read. Of an
	// ApplicationConnector: its credentials are good, and in the receiver's routes.
	ReadyCondition = "Ready"

	// ReconcilingCondition says that the operator is at work, or will try again by itself.
	ReconcilingCondition = "Reconciling"

	// StalledCondition says that only a change by a person can help.
	StalledCondition = "Stalled"

	// SyncedCondition says whether what was read back from ESS equals the spec.
	SyncedCondition = "Synced"

	// CompaniesConnectedCondition says whether any company has connected the
	// application since the subscription was made; without one, nothing is delivered.
	CompaniesConnectedCondition = "CompaniesConnected"

	// DriftedCondition says that ESS holds something else than the spec and
	// that the object is suspended, so that nothing is corrected.
	DriftedCondition = "Drifted"

	// AtRiskCondition says that ESS will remove the subscription: when, and why.
	AtRiskCondition = "AtRisk"
)

// Reasons of success and of work under way.
const (
	// ConnectedReason: a token was obtained and ESS answered.
	ConnectedReason = "Connected"

	// SubscribedReason: ESS holds exactly this subscription.
	SubscribedReason = "Subscribed"

	// RoutedReason: the receiver's routes hold the connector with its credentials.
	RoutedReason = "Routed"

	// CompaniesConnectedReason: at least one company receives events.
	CompaniesConnectedReason = "CompaniesConnected"

	// NoCompaniesReason: no company is connected. An administrator of each
	// company has to connect (or disconnect and reconnect) the application.
	NoCompaniesReason = "NoCompanies"

	// ProgressingReason: the operator is at work and nothing is known to be wrong.
	ProgressingReason = "Progressing"

	// SuspendedReason: spec.suspend is true; nothing is written at Concur.
	SuspendedReason = "Suspended"

	// DeletingReason: the object is being deleted and waits for Concur.
	DeletingReason = "Deleting"

	// InUseReason: a connection is being deleted, but EventSubscriptions still need it.
	InUseReason = "InUse"

	// DriftedReason: ESS holds something else than the spec.
	DriftedReason = "Drifted"

	// DeliveriesRefusedReason: the receiver has taken no delivery for more than a day, though ESS tried, so that ESS
	// will remove the subscription 30 days after that began.
	DeliveriesRefusedReason = "DeliveriesRefused"

	// UnusedReason: the subscription works for nobody, so that ESS will remove it 30 days after that began.
	UnusedReason = "Unused"
)

// Reasons that name what is wrong with references and settings. A change of
// the named object wakes the waiting one at once.
const (
	// ConnectionNotFoundReason: spec.connectionRef names no ConcurConnection. Create it, or correct the name.
	ConnectionNotFoundReason = "ConnectionNotFound"

	// ConnectionNotReadyReason: the ConcurConnection does not work; its own conditions say why.
	ConnectionNotReadyReason = "ConnectionNotReady"

	// ConnectionNotAllowedReason: the ConcurConnection is in another namespace and its allowedNamespaces does not admit this one.
	ConnectionNotAllowedReason = "ConnectionNotAllowed"

	// ReceiverNotConfiguredReason: spec.endpoint.receiver is used, but the manager runs without --receiver-url, which publicURL of
	// the ConfigMap ess-operator-receiver and receiver.publicURL of the Helm chart set.
	ReceiverNotConfiguredReason = "ReceiverNotConfigured"

	// SinkNotAllowedReason: a sink is in another namespace and the manager runs without --cross-namespace-sinks.
	SinkNotAllowedReason = "SinkNotAllowed"

	// SinkNotReadyReason: a sink does not exist, may not be read, or has no address yet. Events wait; the operator tries again.
	SinkNotReadyReason = "SinkNotReady"

	// SecretNotFoundReason: spec.credentialsSecretRef names no Secret. Create it, or correct the name.
	SecretNotFoundReason = "SecretNotFound"

	// SecretInvalidReason: the Secret lacks a key or holds an empty value.
	SecretInvalidReason = "SecretInvalid"

	// UserNameConflictReason: an older ApplicationConnector has the same user name, and the user name tells connectors apart.
	UserNameConflictReason = "UserNameConflict"

	// CABundleInvalidReason: spec.caBundle, or that of a sink, holds no PEM certificate.
	CABundleInvalidReason = "CABundleInvalid"

	// InvalidSpecReason: the spec passed the schema and still cannot be used; the message says what is wrong with it.
	InvalidSpecReason = "InvalidSpec"

	// HostNotAllowedReason: the manager's --allowed-hosts does not admit a host that would be called.
	HostNotAllowedReason = "HostNotAllowed"

	// TopicNotAllowedReason: the application may not use the topic; the message lists those it may use.
	TopicNotAllowedReason = "TopicNotAllowed"

	// QuotaExceededReason: the application has as many subscriptions as it may have.
	QuotaExceededReason = "QuotaExceeded"

	// AlreadyExistsReason: a subscription of this id exists under our
	// application, this object did not make it, and adoptionPolicy does not adopt it.
	AlreadyExistsReason = "AlreadyExists"

	// IDTakenReason: the id belongs to another application. Ids are unique in all of ESS; choose another.
	IDTakenReason = "IDTaken"

	// IDConflictReason: an older EventSubscription has the same id at the same application.
	IDConflictReason = "IDConflict"

	// ContestedReason: someone else keeps changing the subscription at ESS, so that correcting it has stopped.
	ContestedReason = "Contested"
)

// Reasons that name what Concur, or the way to it, answered.
const (
	// CredentialsRejectedReason: the token service refuses client id or secret. Correct the Secret.
	CredentialsRejectedReason = "CredentialsRejected"

	// TokenRejectedReason: SAP Concur refuses the token of spec.recovery: it expired, was revoked, or its user lacks the
	// role. Callouts are taken all the same; only failed ones are not fetched.
	TokenRejectedReason = "TokenRejected"

	// UnauthorizedReason: a fresh token is refused: the application lacks the scope events.topic.read, or was disabled.
	UnauthorizedReason = "Unauthorized"

	// ForbiddenReason: ESS knows the application but refuses this write.
	ForbiddenReason = "Forbidden"

	// RejectedReason: ESS calls the request wrong; the message carries its words.
	RejectedReason = "Rejected"

	// RateLimitedReason: Concur asks to slow down. The operator waits as long as it was told to.
	RateLimitedReason = "RateLimited"

	// UnavailableReason: Concur answered with a server error. The operator tries again.
	UnavailableReason = "Unavailable"

	// TimeoutReason: Concur did not answer in time. The operator tries again.
	TimeoutReason = "Timeout"

	// UnreachableReason: no connection to the host (refused, reset, no route). The operator tries again.
	UnreachableReason = "Unreachable"

	// DNSErrorReason: the host name does not resolve. The operator tries again.
	DNSErrorReason = "DNSError"

	// TLSErrorReason: the host's certificate does not verify. Private roots belong into the connection's caBundle.
	TLSErrorReason = "TLSError"

	// InvalidResponseReason: the answer is not what ESS documents: not JSON,
	// another shape, too large, or a redirect. A proxy in between is the usual cause.
	InvalidResponseReason = "InvalidResponse"

	// ExpiredReason: ESS removed the subscription, as it does after 30 days without a connected company or a
	// delivery. It was made again; companies have to connect again.
	ExpiredReason = "Expired"

	// LostReason: ESS no longer holds the subscription that this object made.
	LostReason = "Lost"

	// UnknownReason: something that no other reason covers. The operator tries again.
	UnknownReason = "Unknown"
)

// Reasons are all reasons that a condition can carry: the closed set that
// docs/reference/conditions.md explains.
func Reasons() []string {
	return []string{
		ConnectedReason, SubscribedReason, RoutedReason, CompaniesConnectedReason, NoCompaniesReason, ProgressingReason,
		SuspendedReason, DeletingReason, InUseReason, DriftedReason, UnusedReason, DeliveriesRefusedReason,
		ConnectionNotFoundReason, ConnectionNotReadyReason, ConnectionNotAllowedReason, ReceiverNotConfiguredReason,
		SinkNotAllowedReason, SinkNotReadyReason,
		SecretNotFoundReason, SecretInvalidReason, UserNameConflictReason, CABundleInvalidReason, InvalidSpecReason, HostNotAllowedReason,
		TopicNotAllowedReason, QuotaExceededReason, AlreadyExistsReason, IDTakenReason, IDConflictReason, ContestedReason,
		CredentialsRejectedReason, TokenRejectedReason, UnauthorizedReason, ForbiddenReason, RejectedReason, RateLimitedReason,
		UnavailableReason, TimeoutReason, UnreachableReason, DNSErrorReason, TLSErrorReason, InvalidResponseReason,
		ExpiredReason, LostReason, UnknownReason,
	}
}
