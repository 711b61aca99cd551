// Package v1alpha1 holds the kinds of the API group concur.ess-operator.io.
//
// A [ConcurConnection] is one OAuth2 application in one SAP Concur data
// center: where it is, and which Secret holds its credentials. An
// [EventSubscription] is one webhook subscription of the Event Subscription
// Service (ESS), made through a connection. An [ApplicationConnector] is one
// application connector of the legacy Event Notification callout. The operator
// never writes what a user wrote: spec, labels and annotations are the user's,
// status and one finalizer are the operator's.
//
// Conditions follow the Kubernetes API conventions and kstatus: Ready is
// always there; Reconciling and Stalled are present only while they are True.
// Every reason that a condition can carry is a constant of this package, with
// what it means and what to do beside it.
//
// Nothing here has a default in the schema, so that a GitOps tool never sees a
// field that nobody wrote. The Effective… methods say what an absent field
// stands for.
//
// +kubebuilder:object:generate=true
// +groupName=concur.ess-operator.io
package v1alpha1
