// Package controlplane starts a real Kubernetes control plane for a test or the
// demo: etcd, kube-apiserver and, unless told otherwise, kube-controller-manager,
// on free loopback ports.
//
//	cp, err := controlplane.Start(ctx, controlplane.Options{CRDDirs: []string{"config/crd/bases"}})
//	if err != nil {
//		...
//	}
//	defer cp.Stop()
//	out, err := cp.Kubectl(ctx, "get", "namespaces")
//
// Starting takes some seconds, so start one per test binary, in TestMain, and give
// each test a namespace of its own.
//
// # What is real and what is not
//
// The API server validates, authorizes (RBAC), stores and watches as in any
// cluster. Of the controllers only those run that a test of an operator relies on:
// namespaces and volume claims really go away, owner references are collected,
// service accounts appear, and aggregated cluster roles are filled. There is no node
// and no scheduler, so a Pod stays pending.
//
// # Where the programs come from
//
// From the directory that KUBEBUILDER_ASSETS names, else from bin/k8s, where
// "make controlplane" puts what it builds from source.
//
// # Nothing outlives the caller
//
// Stop kills every process that Start started. So does a watchdog, when the calling
// process ends without Stop: by a panic, a time-out of go test, or kill -9.
package controlplane
