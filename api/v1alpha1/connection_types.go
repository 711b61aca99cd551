package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ConcurConnection is one OAuth2 application in one SAP Concur data center.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=cconn,categories=concur
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="REASON",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="TOPICS",type=integer,JSONPath=`.status.topicCount`
// +kubebuilder:printcolumn:name="USED",type=string,JSONPath=`.status.subscriptions.usage`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="URL",type=string,priority=1,JSONPath=`.spec.baseURL`
// +kubebuilder:printcolumn:name="APPLICATION",type=string,priority=1,JSONPath=`.status.applicationID`
// +kubebuilder:printcolumn:name="LAST SYNC",type=date,priority=1,JSONPath=`.status.lastSyncTime`
type ConcurConnection struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec says which application, where, and who may use it.
	// +required
	Spec ConcurConnectionSpec `json:"spec,omitzero"`

	// status is what the operator found; nobody else writes it. observedGeneration is
	// -1 until it did, so that no tool takes an object for ready that was just made.
	// +optional
	// +default={"observedGeneration":-1}
	Status ConcurConnectionStatus `json:"status,omitempty,omitzero"`
}

// ConcurConnectionSpec says which application, where, and who may use it.
//
// +kubebuilder:validation:XValidation:rule="!has(self.resyncInterval) || !self.resyncInterval.matches('^([0-9]{1,6}([.][0-9]{1,6})?(ms|s|m|h))+$') || duration(self.resyncInterval) >= duration('1m') || (self.baseURL.matches('^https?://(localhost|127[.][0-9.]+|\\\\[::1\\\\])(:[0-9]+)?(/.*)?$') && duration(self.resyncInterval) >= duration('10s'))",fieldPath=".resyncInterval",message="resyncInterval must be at least 1m (10s when baseURL is a loopback host): every resync lists ESS once"
type ConcurConnectionSpec struct {
	// baseURL is the base URI of the data center that the application lives
	// in, such as https://us2.api.concursolutions.com. Tokens come from
	// {baseURL}/oauth2/v0/token. It must use https; http is for loopback hosts only.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https://[^/?#@\\\\s]+(/[^?#\\\\s]*)?$') || self.matches('^http://(localhost|127[.][0-9.]+|\\\\[::1\\\\])(:[0-9]+)?(/[^?#\\\\s]*)?$')",message="baseURL must be an https URL without user, query or fragment, such as https://us2.api.concursolutions.com (http only for loopback hosts)"
	BaseURL string `json:"baseURL,omitempty"`

	// apiURL is the base of the ESS API. Absent: the geolocation that the
	// token service names, which is right for every documented data center.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https://[^/?#@\\\\s]+(/[^?#\\\\s]*)?$') || self.matches('^http://(localhost|127[.][0-9.]+|\\\\[::1\\\\])(:[0-9]+)?(/[^?#\\\\s]*)?$')",message="apiURL must be an https URL without user, query or fragment, such as https://us2.api.concursolutions.com (http only for loopback hosts)"
	APIURL string `json:"apiURL,omitempty"`

	// credentialsSecretRef names the Secret with the application's client id and secret.
	// +required
	CredentialsSecretRef ClientCredentialsRef `json:"credentialsSecretRef,omitzero"`

	// caBundle is PEM, base64 encoded as all bytes are in JSON: roots to trust
	// for these hosts, beside the system's.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=262144
	CABundle []byte `json:"caBundle,omitempty"`

	// allowedNamespaces says from which namespaces EventSubscriptions may refer
	// to this connection. Absent: only from its own.
	// +optional
	AllowedNamespaces *AllowedNamespaces `json:"allowedNamespaces,omitempty"`

	// resyncInterval is how often ESS is listed, as Go writes durations.
	// Absent: 10m. At least 1m, or 10s for a loopback host.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,6}([.][0-9]{1,6})?(ms|s|m|h))+$')",message="resyncInterval must be a duration such as 10m or 1h30m, with units h, m, s or ms"
	ResyncInterval *metav1.Duration `json:"resyncInterval,omitempty"`

	// rateLimit is the budget of calls to Concur for this application. Absent: 5 a second, bursts of 10.
	// +optional
	RateLimit RateLimit `json:"rateLimit,omitempty,omitzero"`

	// maxSubscriptions is how many subscriptions the application may have.
	// Absent: 5, the documented limit (SAP Concur, Event Subscription Service v4).
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	MaxSubscriptions int32 `json:"maxSubscriptions,omitempty"`

	// suspend stops all calls to Concur for this application while it is true.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// ClientCredentialsRef names a Secret in the same namespace and the keys in it.
type ClientCredentialsRef struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// clientIDKey is the key that holds the client id. Absent: client_id.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	ClientIDKey string `json:"clientIDKey,omitempty"`

	// clientSecretKey is the key that holds the client secret. Absent: client_secret.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	ClientSecretKey string `json:"clientSecretKey,omitempty"`
}

// NamespacesFrom says how namespaces are chosen, as Gateway API listeners do.
//
// +kubebuilder:validation:Enum=Same;All;Selector
type NamespacesFrom string

const (
	// NamespacesFromSame admits the connection's own namespace only.
	NamespacesFromSame NamespacesFrom = "Same"
	// NamespacesFromAll admits every namespace.
	NamespacesFromAll NamespacesFrom = "All"
	// NamespacesFromSelector admits namespaces whose labels match.
	NamespacesFromSelector NamespacesFrom = "Selector"
)

// AllowedNamespaces says who may refer to a connection.
//
// +kubebuilder:validation:XValidation:rule="(has(self.from) && self.from == 'Selector') == has(self.selector)",message="selector is required when from is Selector, and allowed only then"
type AllowedNamespaces struct {
	// from is Same, All or Selector. Absent: Same.
	// +optional
	From NamespacesFrom `json:"from,omitempty"`

	// selector matches labels of namespaces.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// RateLimit is a token bucket.
//
// +kubebuilder:validation:MinProperties=1
type RateLimit struct {
	// requestsPerSecond refills the bucket. Absent: 5.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	RequestsPerSecond int32 `json:"requestsPerSecond,omitempty"`

	// burst is the size of the bucket. Absent: 10.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	Burst int32 `json:"burst,omitempty"`
}

// ConcurConnectionList is a list of ConcurConnections.
//
// +kubebuilder:object:root=true
type ConcurConnectionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	// items are the connections.
	Items []ConcurConnection `json:"items"`
}
