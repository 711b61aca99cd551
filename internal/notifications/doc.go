// Package notifications speaks the API of failed notifications, the other half
// of SAP Concur's legacy Event Notification callout: what could not be posted to
// an application connector is listed as FAILED ("SAP Concur, Event Notification,
// Get Notifications by Status") until somebody deletes it ("Delete Notification").
//
// [Client.Failed] lists, [Client.Delete] deletes, and [Notification.XML] writes a
// notification in the form in which it would have been posted ("Post Event
// Notification"), the same bytes for the same notification.
//
// Both documented forms of the list are read, XML in any namespace and order, and
// JSON. Nothing is paged as far as the pages say, so that a list is one answer,
// bounded in size.
//
// The package knows SAP Concur, not Kubernetes, and nothing else of this project.
package notifications
