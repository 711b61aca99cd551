// Package e2e proves the whole on a real cluster, with the images, manifests and chart that users get: nothing here
// reaches into a program. `make e2e` builds the images and runs it against the cluster of KUBECONFIG; docs/e2e.md says
// how, what each step proves, and how long it took.
//
// It is one test with steps in a fixed order, since there is one cluster. Each step prints a line with its time and has a
// limit. SAP Concur is the emulator, which runs in the cluster; its ledger of deliveries and its log of calls are what is
// asserted on, and the log of a sink that prints what it gets.
//
// The suite marks a cluster as its own before it installs anything, and refuses one that has the operator and no such mark.
// Whatever happens, also on an interrupt, it takes away all that it made. What failed is described in the folder that
// is named at the end.
//
// All files but this one have the build tag e2e, so that `make test` never touches a cluster.
package e2e
