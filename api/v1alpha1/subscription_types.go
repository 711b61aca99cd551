package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// EventSubscription is one webhook subscription at the Event Subscription Service.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=esub,categories=concur
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="REASON",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="TOPIC",type=string,JSONPath=`.spec.topic`
// +kubebuilder:printcolumn:name="COMPANIES",type=integer,JSONPath=`.status.companyCount`
// +kubebuilder:printcolumn:name="LAST EVENT",type=date,JSONPath=`.status.delivery.lastEventTime`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="ID",type=string,priority=1,JSONPath=`.status.subscriptionID`
// +kubebuilder:printcolumn:name="CONNECTION",type=string,priority=1,JSONPath=`.spec.connectionRef.name`
// +kubebuilder:printcolumn:name="ENDPOINT",type=string,priority=1,JSONPath=`.status.endpoint`
// +kubebuilder:printcolumn:name="SINK",type=string,priority=1,JSONPath=`.status.sinkURI`
type EventSubscription struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec says what should be delivered, and where.
	// +required
	Spec EventSubscriptionSpec `json:"spec,omitzero"`

	// status is what the operator found; nobody else writes it. observedGeneration is
	// -1 until it did, so that no tool takes an object for ready that was just made.
	// +optional
	// +default={"observedGeneration":-1}
	Status EventSubscriptionStatus `json:"status,omitempty,omitzero"`
}

// EventSubscriptionSpec says what should be delivered, and where.
//
// +kubebuilder:validation:XValidation:rule="has(self.subscriptionID) == has(oldSelf.subscriptionID) && (!has(self.subscriptionID) || self.subscriptionID == oldSelf.subscriptionID)",fieldPath=".subscriptionID",message="subscriptionID cannot change, because ESS knows a subscription only by its id: make a new EventSubscription instead"
// +kubebuilder:validation:XValidation:rule="!has(self.sink) || has(self.endpoint.receiver)",fieldPath=".sink",message="sink needs endpoint.receiver, because only the companion receiver delivers to a sink: use it, or leave sink out"
// +kubebuilder:validation:XValidation:rule="!has(self.delivery) || has(self.sink)",fieldPath=".delivery",message="delivery says how events get to a sink: add a sink, or leave delivery out"
type EventSubscriptionSpec struct {
	// connectionRef names the ConcurConnection to subscribe through.
	// +required
	ConnectionRef ConnectionRef `json:"connectionRef,omitzero"`

	// subscriptionID is the name that ESS knows this subscription by. Names are
	// unique in all of ESS and never move. Absent: <namespace>.<name>.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9.-]+$')",message="subscriptionID may hold lowercase letters, digits, '.' and '-' only"
	// +kubebuilder:validation:XValidation:rule="self != 'webhook'",message="subscriptionID 'webhook' is a path of the ESS API: choose another"
	SubscriptionID string `json:"subscriptionID,omitempty"`

	// topic is the stream of events, such as public.concur.expense.report. The
	// connection's status lists the topics that its application may use.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Topic string `json:"topic,omitempty"`

	// filter is a regular expression on the event type, sent to ESS unchanged.
	// Its dialect is ESS's. Absent: .* (every type).
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Filter string `json:"filter,omitempty"`

	// endpoint is where ESS delivers.
	// +required
	Endpoint Endpoint `json:"endpoint,omitzero"`

	// sink is where the companion receiver delivers events, as CloudEvents. It
	// needs endpoint.receiver. Absent: events stay in the receiver's store.
	// +optional
	Sink Sink `json:"sink,omitempty,omitzero"`

	// delivery says how the companion receiver delivers to the sink, in the
	// words of Knative's DeliverySpec. Absent: as its fields say of absence.
	// +optional
	Delivery Delivery `json:"delivery,omitempty,omitzero"`

	// adoptionPolicy says what to do when a subscription of this id already
	// exists under our application and this object did not make it. Absent: IfIdentical.
	// +optional
	AdoptionPolicy AdoptionPolicy `json:"adoptionPolicy,omitempty"`

	// deletionPolicy says what happens at ESS when this object is deleted. Absent: Delete.
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// suspend observes only: nothing is written at ESS, not even a first time.
	// What would change is shown in status.drift. Deleting the object still
	// follows deletionPolicy.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// ConnectionRef names a ConcurConnection.
type ConnectionRef struct {
	// name of the ConcurConnection.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// namespace of the ConcurConnection. Absent: the object's own. Another one
	// needs the connection's consent (its allowedNamespaces).
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`
}

// Endpoint is where ESS delivers.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="has(self.url) != has(self.receiver)",message="endpoint must have exactly one of url and receiver"
type Endpoint struct {
	// url is an https endpoint of your own.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https://[^/?#@\\\\s]+([/?][^#\\\\s]*)?$')",message="endpoint.url must be an https URL without user or fragment, such as https://events.example.com/concur"
	URL string `json:"url,omitempty"`

	// receiver is the companion receiver: {receiver URL}/events/<namespace>/<name>.
	// +optional
	Receiver *ReceiverEndpoint `json:"receiver,omitempty"`
}

// ReceiverEndpoint chooses the companion receiver. It has no fields yet.
type ReceiverEndpoint struct{}

// AdoptionPolicy says what to do with a subscription that already exists.
//
// +kubebuilder:validation:Enum=IfIdentical;Always;Never
type AdoptionPolicy string

const (
	// AdoptIfIdentical adopts only when topic, filter and endpoint are equal.
	AdoptIfIdentical AdoptionPolicy = "IfIdentical"
	// AdoptAlways adopts and then makes it equal to the spec.
	AdoptAlways AdoptionPolicy = "Always"
	// AdoptNever never adopts.
	AdoptNever AdoptionPolicy = "Never"
)

// DeletionPolicy says what happens at ESS when an object is deleted.
//
// +kubebuilder:validation:Enum=Delete;Retain
type DeletionPolicy string

const (
	// DeletionDelete deletes the subscription and waits until ESS no longer lists it.
	DeletionDelete DeletionPolicy = "Delete"
	// DeletionRetain leaves the subscription as it is.
	DeletionRetain DeletionPolicy = "Retain"
)

// EventSubscriptionList is a list of EventSubscriptions.
//
// +kubebuilder:object:root=true
type EventSubscriptionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	// items are the subscriptions.
	Items []EventSubscription `json:"items"`
}
