package v1alpha1

// Sink is a destination of CloudEvents: a URI, or an object that has one.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="has(self.uri) != has(self.ref)",message="a sink must have exactly one of uri and ref"
// +kubebuilder:validation:XValidation:rule="!has(self.port) && !has(self.path) || has(self.ref) && self.ref.apiVersion == 'v1' && self.ref.kind == 'Service'",message="port and path go with a ref to a Service (apiVersion v1) only: a uri holds its own, and any other object says itself where it is"
type Sink struct {
	// uri is an absolute http or https URI.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[^/?#@:\\\\s]+(:[0-9]{1,5})?([/?][^#\\\\s]*)?$|^https?://\\\\[[0-9a-fA-F:.]+\\\\](:[0-9]{1,5})?([/?][^#\\\\s]*)?$') && isURL(self)",message="uri must be an absolute http or https URI without user or fragment, such as http://expense-bot.finance.svc/events"
	URI string `json:"uri,omitempty"`

	// ref names a Service, or any Knative Addressable: an object with status.address.url.
	// +optional
	Ref SinkRef `json:"ref,omitempty,omitzero"`

	// port of the Service. Absent: 80.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`

	// path below the Service, such as /events. Absent: the root.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.matches('^/([^?#%\\\\s]|%[0-9A-Fa-f]{2})*$')",message="path must begin with / and hold no query, fragment or space, such as /events"
	Path string `json:"path,omitempty"`

	// caBundle is PEM, base64 encoded as all bytes are in JSON: roots to trust
	// for this sink, beside the system's. Absent: those that a Knative
	// Addressable names, if it names any.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	CABundle []byte `json:"caBundle,omitempty"`
}

// SinkRef names an object that events can be delivered to.
//
// +kubebuilder:validation:XValidation:rule="self.apiVersion != 'v1' || self.kind == 'Service'",fieldPath=".kind",message="of apiVersion v1 only a Service can be a sink"
// +kubebuilder:validation:XValidation:rule="self.apiVersion != 'v1' || self.name.matches('^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$')",fieldPath=".name",message="no Service can have this name: up to 63 lowercase letters, digits and '-', a letter first"
type SinkRef struct {
	// apiVersion of the object: v1 for a Service, such as messaging.knative.dev/v1 for a Knative Addressable.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?v[a-z0-9]*$')",message="apiVersion must be a version, or a group and a version, such as v1 or messaging.knative.dev/v1"
	APIVersion string `json:"apiVersion,omitempty"`

	// kind of the object, such as Service or Broker.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Z][A-Za-z0-9]*$')",message="kind must be written as in a manifest, such as Service or Broker"
	Kind string `json:"kind,omitempty"`

	// name of the object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$')",message="name may hold lowercase letters, digits, '.' and '-' only"
	Name string `json:"name,omitempty"`

	// namespace of the object. Absent: the EventSubscription's own. Another one
	// is refused unless the manager runs with --cross-namespace-sinks.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')",message="namespace may hold lowercase letters, digits and '-' only"
	Namespace string `json:"namespace,omitempty"`
}

// BackoffPolicy says how the delays between attempts grow.
//
// +kubebuilder:validation:Enum=linear;exponential
type BackoffPolicy string

const (
	// BackoffLinear waits n times backoffDelay before the n-th retry.
	BackoffLinear BackoffPolicy = "linear"
	// BackoffExponential waits backoffDelay times 2 to the n before the n-th retry.
	BackoffExponential BackoffPolicy = "exponential"
)

// Ordering says which events wait for one another.
//
// +kubebuilder:validation:Enum=None;PerKey
type Ordering string

const (
	// OrderingNone delivers each event on its own.
	OrderingNone Ordering = "None"
	// OrderingPerKey delivers events of one report, request or user one after the other.
	OrderingPerKey Ordering = "PerKey"
)

// Format is the content mode of CloudEvents, in Knative's words.
//
// +kubebuilder:validation:Enum=binary;json
type Format string

const (
	// FormatBinary puts attributes into headers and leaves the body as Concur sent it.
	FormatBinary Format = "binary"
	// FormatJSON puts attributes and body into one JSON object: CloudEvents' structured mode.
	FormatJSON Format = "json"
)

// Delivery says how events get to a sink: Knative's DeliverySpec, and ordering.
//
// +kubebuilder:validation:MinProperties=1
type Delivery struct {
	// retry is how often a delivery that failed is tried again. Absent: as long
	// as the receiver keeps the event.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000
	Retry *int32 `json:"retry,omitempty"`

	// backoffPolicy is linear or exponential. Absent: exponential.
	// +optional
	BackoffPolicy BackoffPolicy `json:"backoffPolicy,omitempty"`

	// backoffDelay is what the delays between attempts are made of, as ISO 8601
	// writes durations. Absent: PT1S.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^PT([0-9]{1,4}H)?([0-9]{1,5}M)?([0-9]{1,6}([.][0-9]{1,3})?S)?$') && duration(self.substring(2).lowerAscii()) > duration('0s') && duration(self.substring(2).lowerAscii()) <= duration('24h')",message="backoffDelay must be an ISO 8601 duration in hours, minutes and seconds, such as PT1S or PT0.5S, more than zero and at most PT24H"
	BackoffDelay string `json:"backoffDelay,omitempty"`

	// timeout bounds one attempt, as ISO 8601 writes durations. Absent: PT30S.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^PT([0-9]{1,4}H)?([0-9]{1,5}M)?([0-9]{1,6}([.][0-9]{1,3})?S)?$') && duration(self.substring(2).lowerAscii()) > duration('0s') && duration(self.substring(2).lowerAscii()) <= duration('1h')",message="timeout must be an ISO 8601 duration in hours, minutes and seconds, such as PT30S or PT1M30S, more than zero and at most PT1H"
	Timeout string `json:"timeout,omitempty"`

	// deadLetterSink gets the events that could not be delivered. The receiver
	// keeps them too. Absent: nobody gets them.
	// +optional
	DeadLetterSink Sink `json:"deadLetterSink,omitempty,omitzero"`

	// ordering is None or PerKey: with PerKey, events of one report, request or
	// user are delivered one after the other. Absent: None.
	// +optional
	Ordering Ordering `json:"ordering,omitempty"`

	// format is binary or json, the content mode of the CloudEvents. Absent: binary.
	// +optional
	Format Format `json:"format,omitempty"`
}
