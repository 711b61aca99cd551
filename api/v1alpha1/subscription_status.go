package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// EventSubscriptionStatus is what the operator found. Times are written only
// together with another change, so that an object in steady state writes nothing.
type EventSubscriptionStatus struct {
	// conditions are Ready, Synced, CompaniesConnected, and while True:
	// Reconciling, Stalled, Drifted, AtRisk.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status is about; -1: of none yet.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// subscriptionID is the id at ESS that this object made, is about to make,
	// or adopted. Absent: nothing at ESS is this object's.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	SubscriptionID string `json:"subscriptionID,omitempty"`

	// applicationID is the application under which subscriptionID is this object's.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	ApplicationID string `json:"applicationID,omitempty"`

	// endpoint is where ESS delivers, as sent to ESS.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Endpoint string `json:"endpoint,omitempty"`

	// sinkURI is where the receiver delivers. Absent: nothing is delivered, or
	// the sink was not found yet and events wait for it.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	SinkURI string `json:"sinkURI,omitempty"`

	// sinkCACerts are the PEM certificates that a Knative Addressable asks to trust for sinkURI.
	// +optional
	// +kubebuilder:validation:MaxLength=65536
	SinkCACerts string `json:"sinkCACerts,omitempty"`

	// deadLetterSinkURI is where the receiver delivers what the sink did not take.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	DeadLetterSinkURI string `json:"deadLetterSinkURI,omitempty"`

	// deadLetterSinkCACerts are the PEM certificates that a Knative Addressable asks to trust for deadLetterSinkURI.
	// +optional
	// +kubebuilder:validation:MaxLength=65536
	DeadLetterSinkCACerts string `json:"deadLetterSinkCACerts,omitempty"`

	// companyIDs are the companies whose events ESS delivers here.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MaxLength=256
	CompanyIDs []string `json:"companyIDs,omitempty"`

	// companyCount is the number of companies, for the COMPANIES column.
	// Absent until the subscription was read from ESS.
	// +optional
	CompanyCount *int32 `json:"companyCount,omitempty"`

	// groups are the groups that ESS narrows delivery to; none means no narrowing.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MaxLength=256
	Groups []string `json:"groups,omitempty"`

	// scope is what ESS shows in its reserved field of this name.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Scope string `json:"scope,omitempty"`

	// drift lists what ESS holds differently while the object is suspended.
	// +optional
	// +listType=map
	// +listMapKey=field
	// +kubebuilder:validation:MaxItems=8
	Drift []Drift `json:"drift,omitempty"`

	// delivery is what the receiver counted for this object, when that last
	// said something new. Traffic alone is noted once an hour.
	// +optional
	Delivery *DeliveryStatus `json:"delivery,omitempty"`

	// retry is there while the operator waits before it tries again. It outlives a restart.
	// +optional
	Retry *RetryStatus `json:"retry,omitempty"`

	// lastSyncTime is when the subscription was last read from ESS before this status was written.
	// +optional
	LastSyncTime *metav1.Time `json:"lastSyncTime,omitempty"`

	// lastHandledReconcileAt is the last value of the annotation
	// concur.ess-operator.io/reconcile-requested-at that was acted upon.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`
}

// Drift is one field that ESS holds differently.
type Drift struct {
	// field is topic, filter, endpoint or, when ESS has no such subscription, subscription.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Field string `json:"field,omitempty"`

	// desired is what the spec says.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Desired string `json:"desired,omitempty"`

	// observed is what ESS holds.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Observed string `json:"observed,omitempty"`
}

// DeliveryStatus is what the receiver counted for one subscription.
type DeliveryStatus struct {
	// lastEventTime is when the last event arrived, up to an hour late.
	// +optional
	LastEventTime *metav1.Time `json:"lastEventTime,omitempty"`

	// received counts events accepted.
	// +optional
	Received int64 `json:"received,omitempty"`

	// pending counts events stored and not yet delivered.
	// +optional
	Pending int64 `json:"pending,omitempty"`

	// deadLettered counts events given up on; the store still has them.
	// +optional
	DeadLettered int64 `json:"deadLettered,omitempty"`

	// lastError is why deliveries to the sink fail or wait; absent while they succeed.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	LastError string `json:"lastError,omitempty"`
}

// RetryStatus says when the operator tries again, and why.
type RetryStatus struct {
	// attempts counts the failures in a row.
	// +required
	Attempts int32 `json:"attempts"`

	// nextAttemptTime is when the operator tries again by itself.
	// +required
	NextAttemptTime metav1.Time `json:"nextAttemptTime"`

	// lastError is what went wrong last.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	LastError string `json:"lastError,omitempty"`
}
