package api_test

import (
	"testing"
	"time"

	"github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// testManagerPermissions asks the API server's authorizer about the manager's service account.
func testManagerPermissions(t *testing.T) {
	const lease = "manager.concur.ess-operator.io"
	tests := map[string]struct {
		reason string
		action authorizationv1.ResourceAttributes
		want   bool
	}{
		"CreatesTheLease": {
			reason: "--leader-elect starts with it",
			action: authorizationv1.ResourceAttributes{Namespace: systemNamespace, Verb: "create", Group: "coordination.k8s.io", Resource: "leases"},
			want:   true,
		},
		"RenewsTheLease": {
			reason: "the leader renews it every few seconds",
			action: authorizationv1.ResourceAttributes{Namespace: systemNamespace, Verb: "update", Group: "coordination.k8s.io", Resource: "leases", Name: lease},
			want:   true,
		},
		"LeavesOtherLeases": {
			reason: "another program's leader is none of its business",
			action: authorizationv1.ResourceAttributes{Namespace: systemNamespace, Verb: "update", Group: "coordination.k8s.io", Resource: "leases", Name: "other"},
		},
		"LeavesOtherNamespaces": {
			reason: "its Lease is in its own namespace",
			action: authorizationv1.ResourceAttributes{Namespace: "kube-system", Verb: "create", Group: "coordination.k8s.io", Resource: "leases"},
		},
		"TellsOfTheLeader": {
			reason: "client-go reports a new leader in the older events API",
			action: authorizationv1.ResourceAttributes{Namespace: systemNamespace, Verb: "create", Resource: "events"},
			want:   true,
		},
		"WritesStatus": {
			reason: "status is where it reports",
			action: authorizationv1.ResourceAttributes{Namespace: "default", Verb: "patch", Group: v1alpha1.GroupVersion.Group, Resource: "eventsubscriptions", Subresource: "status"},
			want:   true,
		},
		"LeavesSecrets": {
			reason: "Secrets are the user's",
			action: authorizationv1.ResourceAttributes{Namespace: "default", Verb: "patch", Resource: "secrets"},
		},
		"CreatesNoSubscriptions": {
			reason: "objects are made by users only",
			action: authorizationv1.ResourceAttributes{Namespace: "default", Verb: "create", Group: v1alpha1.GroupVersion.Group, Resource: "eventsubscriptions"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			user := "system:serviceaccount:" + systemNamespace + ":" + managerName
			g := gomega.NewWithT(t)
			// The authorizer learns of new roles by a watch.
			g.Eventually(func() bool { return allowed(t, user, tt.action) }, patience, 50*time.Millisecond).
				Should(gomega.Equal(tt.want), tt.reason)
		})
	}
}

// testUserRoles proves that the cluster's own roles learned of our kinds.
func testUserRoles(t *testing.T) {
	namespace := newNamespace(t)
	for role, verbs := range map[string]struct{ may, mayNot []string }{
		"view":  {may: []string{"get", "watch"}, mayNot: []string{"create", "delete"}},
		"edit":  {may: []string{"get", "create", "patch", "delete"}, mayNot: []string{"deletecollection"}},
		"admin": {may: []string{"get", "create", "delete", "deletecollection"}},
	} {
		binding := &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: role},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "user-with-" + role}},
		}
		if err := suite.client.Create(t.Context(), binding); err != nil {
			t.Fatal(err)
		}
		for _, resource := range []string{"concurconnections", "eventsubscriptions", "applicationconnectors"} {
			t.Run(role+" "+resource, func(t *testing.T) {
				t.Parallel()
				may := func(verb string) bool {
					return allowed(t, "user-with-"+role, authorizationv1.ResourceAttributes{
						Namespace: namespace, Verb: verb, Group: v1alpha1.GroupVersion.Group, Resource: resource,
					})
				}
				for _, verb := range verbs.may { // a controller fills the role in
					gomega.NewWithT(t).Eventually(may, patience, 50*time.Millisecond).WithArguments(verb).Should(gomega.BeTrue(), verb)
				}
				for _, verb := range verbs.mayNot {
					if may(verb) {
						t.Errorf("the role %s, as aggregated by the cluster, may %s %s", role, verb, resource)
					}
				}
			})
		}
	}
}

func allowed(t *testing.T, user string, action authorizationv1.ResourceAttributes) bool {
	t.Helper()
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: user, ResourceAttributes: &action}}
	if err := suite.client.Create(t.Context(), review); err != nil {
		t.Fatal(err)
	}
	return review.Status.Allowed
}
