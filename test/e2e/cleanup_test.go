//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// cleanupLimit is how long taking everything away may take, after a failure and an interrupt too.
const cleanupLimit = 3 * time.Minute

// cordoned is the annotation of a node that the suite has drained, so that also the run after one that was killed lets pods
// on it again.
const cordoned = "concur.ess-operator.io/e2e-cordoned"

// wipe takes away all that the suite may have made, whatever state it is in. It does by force what uninstalling does by
// asking: nobody is there to serve finalizers, and there is no Concur that would remember.
func (c *cluster) wipe(ctx context.Context) error {
	err := errors.Join(c.uncordon(ctx), c.deleteNamespaces(ctx), c.freeObjects(ctx), c.deleteClusterObjects(ctx))
	if err != nil {
		return err
	}
	return c.awaitGone(ctx)
}

// uncordon lets pods on the nodes that the suite has drained.
func (c *cluster) uncordon(ctx context.Context) error {
	var nodes corev1.NodeList
	if err := c.client.List(ctx, &nodes); err != nil {
		return fmt.Errorf("listing nodes: %w", err)
	}
	for i := range nodes.Items {
		node := &nodes.Items[i]
		if _, drained := node.Annotations[cordoned]; !drained {
			continue
		}
		patch := []byte(`{"spec":{"unschedulable":null},"metadata":{"annotations":{"` + cordoned + `":null}}}`)
		if err := c.client.Patch(ctx, node, client.RawPatch(types.MergePatchType, patch)); err != nil {
			return fmt.Errorf("letting pods on node %s: %w", node.Name, err)
		}
	}
	return nil
}

// deleteNamespaces begins to delete the namespaces; the manager goes first, so that it cannot serve what comes next.
func (c *cluster) deleteNamespaces(ctx context.Context) error {
	background := metav1.DeletePropagationBackground
	options := metav1.DeleteOptions{PropagationPolicy: &background}
	err := c.clientset.AppsV1().Deployments(operatorNamespace).Delete(ctx, managerName, options)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting the manager: %w", err)
	}
	for _, name := range namespaces() {
		err := c.clientset.CoreV1().Namespaces().Delete(ctx, name, options)
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("deleting namespace %s: %w", name, err)
		}
	}
	return nil
}

// freeObjects takes the finalizers off all objects of the operator's kinds, and deletes them.
func (c *cluster) freeObjects(ctx context.Context) error {
	for _, kind := range kinds() {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind + "List"))
		err := c.client.List(ctx, list)
		if meta.IsNoMatchError(err) || apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("listing %ss: %w", kind, err)
		}
		for i := range list.Items {
			patch := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
			err := errors.Join(client.IgnoreNotFound(c.client.Delete(ctx, &list.Items[i])),
				client.IgnoreNotFound(c.client.Patch(ctx, &list.Items[i], patch)))
			if err != nil {
				return fmt.Errorf("letting %s %s go: %w", kind, list.Items[i].GetName(), err)
			}
		}
	}
	return nil
}

func kinds() []string {
	return []string{"EventSubscription", "ApplicationConnector", "ConcurConnection"}
}

// clusterKinds are the kinds of objects outside namespaces that manifests and chart bring.
func clusterKinds() []schema.GroupVersionKind {
	return []schema.GroupVersionKind{
		{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRole"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRoleBinding"},
		{Group: "scheduling.k8s.io", Version: "v1", Kind: "PriorityClass"},
	}
}

// clusterObjects are the objects outside namespaces that have a name of the operator's or define its kinds.
func (c *cluster) clusterObjects(ctx context.Context) ([]*unstructured.Unstructured, error) {
	var found []*unstructured.Unstructured
	for _, kind := range clusterKinds() {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind)
		if err := c.client.List(ctx, list); err != nil {
			return nil, fmt.Errorf("listing objects of kind %s: %w", kind.Kind, err)
		}
		for i := range list.Items {
			group, _, _ := unstructured.NestedString(list.Items[i].Object, "spec", "group")
			if ours(list.Items[i].GetName()) || group == v1alpha1.GroupVersion.Group {
				found = append(found, &list.Items[i])
			}
		}
	}
	return found, nil
}

func (c *cluster) deleteClusterObjects(ctx context.Context) error {
	objects, err := c.clusterObjects(ctx)
	if err != nil {
		return err
	}
	for _, object := range objects {
		if err := client.IgnoreNotFound(c.client.Delete(ctx, object)); err != nil {
			return fmt.Errorf("deleting %s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	return nil
}

// awaitGone waits until nothing is left. Objects that somebody made in the meantime are let go as well.
func (c *cluster) awaitGone(ctx context.Context) error {
	var left []string
	err := wait.PollUntilContextCancel(ctx, time.Second, true, func(ctx context.Context) (bool, error) {
		if err := c.freeObjects(ctx); err != nil {
			return false, err
		}
		var err error
		left, err = c.foreign(ctx)
		return len(left) == 0, err
	})
	if err != nil {
		return fmt.Errorf("waiting until everything is gone, %v is left: %w", left, err)
	}
	return nil
}
