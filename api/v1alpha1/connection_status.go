package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ConcurConnectionStatus is what the operator found. Times are written only
// together with another change, so that a connection in steady state writes nothing.
type ConcurConnectionStatus struct {
	// conditions are Ready, and while True: Reconciling, Stalled.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status is about; -1: of none yet.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// applicationID is the subject of the token: the application that owns what is made here.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	ApplicationID string `json:"applicationID,omitempty"`

	// geolocation is the base URI that the token service named for calls with its token.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Geolocation string `json:"geolocation,omitempty"`

	// scopes are the scopes that the token carries.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=512
	// +kubebuilder:validation:items:MaxLength=256
	Scopes []string `json:"scopes,omitempty"`

	// topics are the topics that the application may subscribe to.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=512
	// +kubebuilder:validation:items:MaxLength=256
	Topics []string `json:"topics,omitempty"`

	// topicCount is the number of topics, for the TOPICS column.
	// +optional
	TopicCount *int32 `json:"topicCount,omitempty"`

	// subscriptions counts the subscriptions of the application at ESS.
	// +optional
	Subscriptions *SubscriptionUsage `json:"subscriptions,omitempty"`

	// tokenExpiresAt is when the token ends that was current when this status
	// was last written. The live value is a metric.
	// +optional
	TokenExpiresAt *metav1.Time `json:"tokenExpiresAt,omitempty"`

	// lastSyncTime is when ESS was last listed before this status was written.
	// The live value is a metric.
	// +optional
	LastSyncTime *metav1.Time `json:"lastSyncTime,omitempty"`

	// lastHandledReconcileAt is the last value of the annotation
	// concur.ess-operator.io/reconcile-requested-at that was acted upon.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`
}

// SubscriptionUsage counts the subscriptions of an application at ESS.
type SubscriptionUsage struct {
	// used is how many the application has.
	// +required
	Used int32 `json:"used"`

	// limit is how many it may have.
	// +required
	Limit int32 `json:"limit"`

	// managed is how many of them an EventSubscription stands for.
	// +required
	Managed int32 `json:"managed"`

	// usage is used and limit as "3/5", for the USED column.
	// +required
	// +kubebuilder:validation:MaxLength=32
	Usage string `json:"usage"`

	// unmanaged are the ids of those that no EventSubscription stands for.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MaxLength=512
	Unmanaged []string `json:"unmanaged,omitempty"`
}
