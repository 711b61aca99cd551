// Package applicationconnector reconciles ApplicationConnectors: it reads the
// user name and password, sees to it that no two connectors have one user name,
// finds the sinks, and reports. Routes are rendered by another controller, which
// tells this one when the receiver's file holds a connector as it is now; failed
// notifications are fetched by a third, whose outcome is reported here. So one
// controller writes each status.
//
// Nothing at SAP Concur stands for a connector that could be deleted ("Connectors
// cannot be removed"), so that there is no finalizer: a connector that is gone is
// gone from the routes.
package applicationconnector
