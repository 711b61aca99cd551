package argocd_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// ways are how Argo CD can apply and compare: the lines that an Application needs for each.
var ways = map[string]struct{ annotation, option string }{
	"client-side": {},
	"server-side": {option: "ServerSideApply=true"},
	// Argo CD asks the API server what applying would change.
	"server-side-diff": {annotation: "argocd.argoproj.io/compare-options: ServerSideDiff=true", option: "ServerSideApply=true"},
}

// playWays gives each way a namespace with one object of each kind. Nothing that the operator does to them in their
// life may be a difference, and what somebody else does is healed.
func playWays(s *stage) {
	for way := range ways {
		s.repo.copy("../../argocd/examples/app-of-apps/finance", way)
		s.repo.replace(way+"/kustomization.yaml", "namespace: finance", "namespace: "+way)
		s.repo.replace(way+"/kustomization.yaml", "- subscription.yaml\n", "- subscription.yaml\n- connector.yaml\n")
		s.repo.write(way+"/connector.yaml", s.repo.read("config/samples/concur_v1alpha1_applicationconnector.yaml"))
		s.repo.replace(way+"/connection.yaml", "baseURL: https://us2.api.concursolutions.com", s.baseURL())
	}
	s.repo.push("All ways to apply")
	for way := range ways {
		s.t.Run(way, func(t *testing.T) {
			t.Parallel()
			s.on(t).playWay(way)
		})
	}
}

func (s *stage) playWay(way string) {
	s.connectorSecrets(way)
	s.repo.on(s.t).deploy(way, ways[way].annotation, ways[way].option)
	s.eventually(way, "Synced Healthy", "")
	s.quietly(way, func() {
		s.edit(way, func(sub *v1alpha1.EventSubscription) {
			metav1.SetMetaDataAnnotation(&sub.ObjectMeta, v1alpha1.ReconcileRequestedAtAnnotation, "now")
		})
		s.Eventually(func() string { return s.subscription(way).Status.LastHandledReconcileAt }).Should(gomega.Equal("now"))
		s.argocd("app", "get", way, "--hard-refresh")
		s.argocd("app", "diff", way) // fails when there is a difference
	})
	s.edit(way, func(sub *v1alpha1.EventSubscription) { sub.Spec.Topic = "public.concur.request" })
	s.Eventually(func() string { return s.subscription(way).Spec.Topic }).Should(gomega.Equal("public.concur.expense.report"))
	s.eventually(way, "Synced Healthy", "")
	s.playLeaving(way)
}

// playLeaving deletes the Application without its objects, makes it again, and deletes it with them.
func (s *stage) playLeaving(way string) {
	id := way + ".expense-reports"
	s.argocd("app", "delete", way, "--cascade=false", "--yes")
	s.Eventually(func() string { return s.application(way).GetName() }).Should(gomega.BeEmpty())
	s.Expect(s.subscription(way).DeletionTimestamp.IsZero()).To(gomega.BeTrue())
	s.Expect(s.filters()).To(gomega.HaveKey(id))
	s.repo.on(s.t).deploy(way, ways[way].annotation, ways[way].option)
	s.eventually(way, "Synced Healthy", "")
	s.argocd("app", "delete", way, "--yes")
	s.Consistently(s.filters, "4s").Should(gomega.HaveKey(id), "nobody has confirmed it")
	s.argocd("app", "confirm-deletion", way)
	s.Eventually(func() string { return s.application(way).GetName() }).Should(gomega.BeEmpty())
	s.Expect(s.filters()).NotTo(gomega.HaveKey(id), "deleting an Application deletes at ESS")
}

// connectorSecrets makes a namespace with what does not come from git.
func (s *stage) connectorSecrets(namespace string) {
	s.t.Helper()
	for _, o := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}},
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "report-callouts"},
			StringData: map[string]string{"username": "user-of-" + namespace, "password": "password-1"},
		},
	} {
		s.Expect(suite.client.Create(s.t.Context(), o)).To(gomega.Succeed())
	}
	s.secret(namespace)
}

// deploy applies an Application of one directory.
func (r *repository) deploy(name, annotation, option string) {
	r.t.Helper()
	text := fmt.Sprintf(`apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: %[1]s
  namespace: %[2]s
  annotations:
    note: none
    %[4]s
  finalizers: [resources-finalizer.argocd.argoproj.io]
spec:
  project: default
  source: {repoURL: "%[3]s", targetRevision: main, path: %[1]s}
  destination: {server: "https://kubernetes.default.svc", namespace: %[1]s}
  syncPolicy:
    automated: {prune: true, selfHeal: true}
    syncOptions: [%[5]s]
`, name, argoNamespace, r.url, annotation, option)
	if _, err := suite.plane.KubectlInput(r.t.Context(), strings.NewReader(text), "apply", "-f", "-"); err != nil {
		r.t.Fatal(err)
	}
}

// playHelm installs the chart a second time, under another name, as the example's variant does.
func playHelm(s *stage) {
	const name = "ess-operator"
	variant := s.repo.read("operator-helm/operator.yaml")
	for old, text := range map[string]string{
		"https://github.com/ess-operator/ess-operator.git": s.repo.url,
		"targetRevision: " + version(s.t):                  "targetRevision: main",
		"  name: " + name + "\n":                           "  name: by-helm\n",
		"namespace: ess-operator-system":                   "namespace: by-helm",
		"        receiver:\n":                              "        crds: {install: false}\n        receiver:\n", // they are there already
	} {
		if !strings.Contains(variant, old) {
			s.t.Fatalf("the variant does not hold %q", old)
		}
		variant = strings.Replace(variant, old, text, 1)
	}
	_, err := suite.plane.KubectlInput(s.t.Context(), strings.NewReader(variant), "apply", "-f", "-")
	s.Expect(err).NotTo(gomega.HaveOccurred())
	// Progressing for ever: nothing here runs pods.
	s.eventually("by-helm", "Synced Progressing", "")
	s.quietly("by-helm", func() {
		s.argocd("app", "get", "by-helm", "--hard-refresh")
		s.argocd("app", "diff", "by-helm")
	})
	s.argocd("app", "delete", "by-helm", "--yes")
	s.Eventually(func() string { return s.application("by-helm").GetName() }).Should(gomega.BeEmpty())
}
