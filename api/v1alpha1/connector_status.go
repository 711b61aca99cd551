package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ApplicationConnectorStatus is what the operator found. Times are written only
// together with another change or when they are an hour behind, so that an
// object in steady state writes next to nothing.
type ApplicationConnectorStatus struct {
	// conditions are Ready, and while True: Reconciling, Stalled.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status is about; -1: of none yet.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// url is where SAP Concur posts: its host is the Host Name of the page
	// Register Application Connector, its path the endpoint of the service.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	URL string `json:"url,omitempty"`

	// testConnectionURL is what SAP Concur's button Test Connection calls.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	TestConnectionURL string `json:"testConnectionURL,omitempty"`

	// lastTestConnectionTime is when Test Connection was last pressed with these
	// credentials, as far as the receiver remembers.
	// +optional
	LastTestConnectionTime *metav1.Time `json:"lastTestConnectionTime,omitempty"`

	// sinkURI is where the receiver delivers. Absent: nothing is delivered, or
	// the sink was not found yet and notifications wait for it.
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

	// delivery is what the receiver counted for this object, when that last
	// said something new. Traffic alone is noted once an hour.
	// +optional
	Delivery *DeliveryStatus `json:"delivery,omitempty"`

	// recovery tells of the fetching of failed notifications.
	// +optional
	Recovery *RecoveryStatus `json:"recovery,omitempty"`

	// retry is there while the operator waits before it tries again. It outlives a restart.
	// +optional
	Retry *RetryStatus `json:"retry,omitempty"`

	// lastHandledReconcileAt is the last value of the annotation
	// concur.ess-operator.io/reconcile-requested-at that was acted upon.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`
}

// RecoveryStatus tells of the fetching of failed notifications.
type RecoveryStatus struct {
	// lastRunTime is when the list was last gone through without a failure, up to an hour late.
	// +optional
	LastRunTime *metav1.Time `json:"lastRunTime,omitempty"`

	// recovered counts notifications that the receiver stored after they were
	// fetched, since the object was made.
	// +optional
	Recovered int64 `json:"recovered,omitempty"`

	// failedSeen is how many notifications SAP Concur last listed as FAILED.
	// +optional
	FailedSeen int64 `json:"failedSeen,omitempty"`

	// lastError is why the last run did not get to its end; absent after one that did.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	LastError string `json:"lastError,omitempty"`
}
