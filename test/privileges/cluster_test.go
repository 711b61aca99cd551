package privileges_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/test/controlplane"
	"github.com/ess-operator/ess-operator/test/privileges/audit"
)

const (
	// patience is for what must come. It says nothing of how fast that is, and is far beyond what the slowest
	// machine takes.
	patience = 3 * time.Minute
	glance   = 50 * time.Millisecond

	// Where the manifests put the manager.
	systemNamespace = "ess-operator-system"
	managerAccount  = "ess-operator-manager"
)

// cluster is a control plane with the manifests of an overlay.
type cluster struct {
	*gomega.WithT
	t      *testing.T
	plane  *controlplane.ControlPlane
	client client.Client
}

// newCluster starts a control plane and applies the files of an overlay, in which
// {config} stands for the directory of the manifests.
func newCluster(t *testing.T, overlay map[string]string) *cluster {
	t.Helper()
	plane, err := controlplane.Start(t.Context(), controlplane.Options{Audit: true, AuditBodies: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	c := &cluster{WithT: gomega.NewWithT(t), t: t, plane: plane}
	c.SetDefaultEventuallyTimeout(patience)
	c.SetDefaultEventuallyPollingInterval(glance)
	if c.client, err = client.New(plane.Config, client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	for _, namespace := range []string{finance, travel} {
		c.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	}
	c.kubectl("apply", "-f", "testdata/bells.yaml")
	c.apply(overlay)
	return c
}

// apply applies the files of an overlay.
func (c *cluster) apply(overlay map[string]string) {
	c.t.Helper()
	// Kustomize resolves links, and takes no absolute paths.
	dir, err := filepath.EvalSymlinks(c.t.TempDir())
	c.Expect(err).NotTo(gomega.HaveOccurred())
	manifests, err := filepath.Abs("../../config")
	c.Expect(err).NotTo(gomega.HaveOccurred())
	for name, text := range overlay {
		path := filepath.Join(dir, name)
		c.Expect(os.MkdirAll(filepath.Dir(path), 0o700)).To(gomega.Succeed())
		relative, err := filepath.Rel(filepath.Dir(path), manifests)
		c.Expect(err).NotTo(gomega.HaveOccurred())
		c.Expect(os.WriteFile(path, []byte(strings.ReplaceAll(text, "{config}", relative)), 0o600)).To(gomega.Succeed())
	}
	c.kubectl("apply", "-k", dir)
	c.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout="+patience.String())
	c.Expect(c.plane.Serves(c.t.Context(), "concurconnections.concur.ess-operator.io", "eventsubscriptions.concur.ess-operator.io")).To(gomega.Succeed())
}

// kubectl runs kubectl as administrator.
func (c *cluster) kubectl(args ...string) string {
	c.t.Helper()
	out, err := c.plane.Kubectl(c.t.Context(), args...)
	c.Expect(err).NotTo(gomega.HaveOccurred())
	return string(out)
}

// token is one of a service account, as a pod would have it.
func (c *cluster) token(namespace, account string) string {
	c.t.Helper()
	return strings.TrimSpace(c.kubectl("create", "token", account, "-n", namespace, "--duration=1h"))
}

func (c *cluster) create(o client.Object) {
	c.t.Helper()
	c.Expect(c.client.Create(c.t.Context(), o)).To(gomega.Succeed())
}

// change patches what an object is now, as a user would.
func (c *cluster) change(o client.Object, change func()) {
	c.t.Helper()
	c.Expect(c.read(o)).To(gomega.Succeed())
	before := o.DeepCopyObject().(client.Object)
	change()
	c.Expect(c.client.Patch(c.t.Context(), o, client.MergeFrom(before))).To(gomega.Succeed())
}

func (c *cluster) read(o client.Object) error {
	return c.client.Get(c.t.Context(), client.ObjectKeyFromObject(o), o)
}

// delete deletes an object and waits until it is gone.
func (c *cluster) delete(o client.Object) {
	c.t.Helper()
	c.Expect(c.client.Delete(c.t.Context(), o)).To(gomega.Succeed())
	c.eventuallyGone(o)
}

func (c *cluster) eventuallyGone(o client.Object) {
	c.t.Helper()
	c.Eventually(func() bool { return apierrors.IsNotFound(c.read(o)) }).Should(gomega.BeTrue(), func() string { return explain(o) })
}

// bound are all roles and bindings of the cluster.
func (c *cluster) bound() audit.Bound {
	c.t.Helper()
	clusterRoles, roles := &rbacv1.ClusterRoleList{}, &rbacv1.RoleList{}
	clusterBindings, bindings := &rbacv1.ClusterRoleBindingList{}, &rbacv1.RoleBindingList{}
	for _, list := range []client.ObjectList{clusterRoles, roles, clusterBindings, bindings} {
		c.Expect(c.client.List(c.t.Context(), list)).To(gomega.Succeed())
	}
	return audit.Bound{
		ClusterRoles: clusterRoles.Items, Roles: roles.Items,
		ClusterRoleBindings: clusterBindings.Items, RoleBindings: bindings.Items,
	}
}

// requests are those of the manager so far.
func (c *cluster) requests() []audit.Request {
	c.t.Helper()
	requests, err := audit.Read(c.plane.AuditLog, audit.Account(systemNamespace, managerAccount))
	c.Expect(err).NotTo(gomega.HaveOccurred())
	return requests
}
