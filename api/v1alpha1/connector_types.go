package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ApplicationConnector is one application connector of the legacy Event
// Notification callout: the companion receiver takes what SAP Concur posts with
// these credentials, and delivers it as CloudEvents.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=appconn,categories=concur
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="REASON",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.status.url`
// +kubebuilder:printcolumn:name="LAST EVENT",type=date,JSONPath=`.status.delivery.lastEventTime`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="LAST TEST",type=date,priority=1,JSONPath=`.status.lastTestConnectionTime`
// +kubebuilder:printcolumn:name="RECOVERED",type=integer,priority=1,JSONPath=`.status.recovery.recovered`
// +kubebuilder:printcolumn:name="SECRET",type=string,priority=1,JSONPath=`.spec.credentialsSecretRef.name`
// +kubebuilder:printcolumn:name="SINK",type=string,priority=1,JSONPath=`.status.sinkURI`
type ApplicationConnector struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec says whose notifications are taken, and where they go.
	// +required
	Spec ApplicationConnectorSpec `json:"spec,omitzero"`

	// status is what the operator found; nobody else writes it. observedGeneration is
	// -1 until it did, so that no tool takes an object for ready that was just made.
	// +optional
	// +default={"observedGeneration":-1}
	Status ApplicationConnectorStatus `json:"status,omitempty,omitzero"`
}

// ApplicationConnectorSpec says whose notifications are taken, and where they go.
//
// +kubebuilder:validation:XValidation:rule="!has(self.delivery) || has(self.sink)",fieldPath=".delivery",message="delivery says how events get to a sink: add a sink, or leave delivery out"
type ApplicationConnectorSpec struct {
	// credentialsSecretRef names the Secret with the user name and the password
	// that are typed into SAP Concur's page Register Application Connector.
	// +required
	CredentialsSecretRef BasicCredentialsRef `json:"credentialsSecretRef,omitzero"`

	// credentialOverlap is for how long a user name and password are still
	// accepted after the Secret ceased to hold them, so that there is time to
	// type the new ones in at SAP Concur. As Go writes durations, at most 720h;
	// 0s ends them at once. Absent: 1h.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,6}([.][0-9]{1,6})?(ms|s|m|h))+$') && duration(self) <= duration('720h')",message="credentialOverlap must be a duration of at most 720h such as 0s, 1h or 36h30m, with units h, m, s or ms"
	CredentialOverlap *metav1.Duration `json:"credentialOverlap,omitempty"`

	// path is where SAP Concur posts notifications, below the receiver's URL.
	// Connectors may share one: the user name tells them apart. Absent:
	// /concur/v1.0/notify, which is what SAP Concur's page suggests.
	// +optional
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^(/[A-Za-z0-9._~$*+,;=:@-]+)+$') && !self.matches('/[.]{1,2}(/|$)')",message="path must be an absolute path such as /concur/v1.0/notify, without query, escapes, '//', '.' or '..', and without '/' at its end"
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('/events/') && self != '/events' && !self.startsWith('/system/') && self != '/system'",message="path must lie outside /events and /system, which the receiver needs for itself"
	Path string `json:"path,omitempty"`

	// sink is where the companion receiver delivers notifications, as
	// CloudEvents. Absent: they stay in the receiver's store.
	// +optional
	Sink Sink `json:"sink,omitempty,omitzero"`

	// delivery says how the companion receiver delivers to the sink, in the
	// words of Knative's DeliverySpec. Absent: as its fields say of absence.
	// +optional
	Delivery Delivery `json:"delivery,omitempty,omitzero"`

	// recovery fetches the notifications that SAP Concur lists as FAILED, and
	// has them stored as if they had arrived. Absent: nobody fetches them.
	// +optional
	Recovery Recovery `json:"recovery,omitempty,omitzero"`
}

// BasicCredentialsRef names a Secret in the same namespace and the keys in it.
type BasicCredentialsRef struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$')",message="name may hold lowercase letters, digits, '.' and '-' only"
	Name string `json:"name,omitempty"`

	// usernameKey is the key that holds the user name. Absent: username.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	UsernameKey string `json:"usernameKey,omitempty"`

	// passwordKey is the key that holds the password. Absent: password.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	PasswordKey string `json:"passwordKey,omitempty"`
}

// Recovery says how notifications that SAP Concur could not post are fetched.
// The list is that of a company, so one connector of each company should do it.
//
// +kubebuilder:validation:XValidation:rule="!has(self.interval) || !self.interval.matches('^([0-9]{1,6}([.][0-9]{1,6})?(ms|s|m|h))+$') || (duration(self.interval) <= duration('24h') && (duration(self.interval) >= duration('1m') || (self.baseURL.matches('^https?://(localhost|127[.][0-9.]+|\\\\[::1\\\\])(:[0-9]+)?(/.*)?$') && duration(self.interval) >= duration('10s'))))",fieldPath=".interval",message="interval must be at least 1m (10s when baseURL is a loopback host) and at most 24h: every run lists the failed notifications once"
type Recovery struct {
	// baseURL is where the API of failed notifications lies, such as
	// https://www.concursolutions.com. It must use https; http is for loopback
	// hosts only. The manager's --allowed-hosts has to admit the host.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https://[^/?#@\\\\s]+(/[^?#\\\\s]*)?$') || self.matches('^http://(localhost|127[.][0-9.]+|\\\\[::1\\\\])(:[0-9]+)?(/[^?#\\\\s]*)?$')",message="baseURL must be an https URL without user, query or fragment, such as https://www.concursolutions.com (http only for loopback hosts)"
	BaseURL string `json:"baseURL,omitempty"`

	// tokenSecretRef names the Secret with the access token of a user who may
	// see failed notifications.
	// +required
	TokenSecretRef TokenRef `json:"tokenSecretRef,omitzero"`

	// authScheme is the word before the token in the header Authorization:
	// OAuth, which SAP Concur's pages show, or Bearer. Absent: OAuth.
	// +optional
	AuthScheme AuthScheme `json:"authScheme,omitempty"`

	// caBundle is PEM, base64 encoded as all bytes are in JSON: roots to trust
	// for this host, beside the system's.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=262144
	CABundle []byte `json:"caBundle,omitempty"`

	// interval is how often failed notifications are listed, as Go writes
	// durations. Absent: 10m. At least 1m, or 10s for a loopback host; at most 24h.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,6}([.][0-9]{1,6})?(ms|s|m|h))+$')",message="interval must be a duration such as 10m or 1h30m, with units h, m, s or ms"
	Interval *metav1.Duration `json:"interval,omitempty"`

	// deleteRecovered deletes each notification at SAP Concur once the receiver
	// has stored it. Absent: they stay listed, and are stored again when both
	// the operator has forgotten them and the receiver its copy.
	// +optional
	DeleteRecovered bool `json:"deleteRecovered,omitempty"`
}

// TokenRef names a Secret in the same namespace and the key in it.
type TokenRef struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$')",message="name may hold lowercase letters, digits, '.' and '-' only"
	Name string `json:"name,omitempty"`

	// key that holds the token. Absent: token.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	Key string `json:"key,omitempty"`
}

// AuthScheme is the word before a token in the header Authorization.
//
// +kubebuilder:validation:Enum=OAuth;Bearer
type AuthScheme string

const (
	// AuthOAuth is what SAP Concur's pages show (Get Notifications by Status).
	AuthOAuth AuthScheme = "OAuth"
	// AuthBearer is RFC 6750's.
	AuthBearer AuthScheme = "Bearer"
)

// ApplicationConnectorList is a list of ApplicationConnectors.
//
// +kubebuilder:object:root=true
type ApplicationConnectorList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	// items are the connectors.
	Items []ApplicationConnector `json:"items"`
}
