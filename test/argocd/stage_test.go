package argocd_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

const (
	appID     = "dabd27f0-23e7-415d-b5e5-19a7dbe4fb4d"
	appSecret = "3f7bd0a2-5d5e-4c53-9f0c-6c1f7e2f9f11"

	// system is the namespace of the operator.
	system = "ess-operator-system"
)

// stage is what a story happens on.
type stage struct {
	*gomega.WithT
	t      *testing.T
	whole  *testing.T // the story, of which t may be a part
	ess    *essemulator.Emulator
	server *httptest.Server
	repo   *repository
	apps   *applications
}

// on is the same stage for a part of the story.
func (s *stage) on(t *testing.T) *stage {
	part := *s
	part.t, part.WithT = t, gomega.NewWithT(t)
	part.SetDefaultEventuallyTimeout(patience)
	part.SetDefaultEventuallyPollingInterval(glance)
	return &part
}

func newStage(t *testing.T) *stage {
	t.Helper()
	assume := essemulator.DefaultAssumptions()
	assume.DeleteDelay = 0
	emulator, err := essemulator.New(essemulator.WithAssumptions(assume))
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, whole: t, ess: emulator, server: httptest.NewTLSServer(emulator.Handler())}
	t.Cleanup(s.server.Close)
	emulator.SetBaseURL(s.server.URL)
	emulator.PutApplication(essemulator.Application{
		ID: appID, Secrets: []string{appSecret}, AllowedPrincipal: "*", Scopes: []string{"events.topic.read", "expense.report.read"},
	})
	s = s.on(t)
	s.apps = watchApplications(t)
	s.repo = newRepository(t)
	s.fill()
	return s
}

// needNodes are the kinds that are never healthy where nothing runs pods, and their versions.
var needNodes = map[string]string{"Deployment": "apps/v1", "PersistentVolumeClaim": "v1", "PodDisruptionBudget": "policy/v1"}

// fill makes the repository of the example, as its README says, and points it at this machine:
// at the manifests of this tree, at the emulator, and without pods and disks, which need nodes.
func (s *stage) fill() {
	s.t.Helper()
	s.repo.copy("../../argocd/examples/app-of-apps", ".")
	s.repo.copy("../../config", "config")
	s.repo.copy("../../charts", "charts")
	for _, file := range []string{"root.yaml", "apps/operator.yaml", "apps/finance.yaml"} {
		s.repo.replace(file, "https://github.com/example/platform.git", s.repo.url)
	}
	s.repo.replace("operator/kustomization.yaml", "https://github.com/ess-operator/ess-operator//config/default?ref="+version(s.t), "../config/default")
	patches := "patches:\n"
	for kind, version := range needNodes {
		patches += "- {target: {kind: " + kind + "}, patch: '{$patch: delete, apiVersion: " + version + ", kind: " + kind + ", metadata: {name: any}}'}\n"
	}
	s.repo.replace("operator/kustomization.yaml", "patches:\n", patches)
	s.repo.replace("finance/connection.yaml", "baseURL: https://us2.api.concursolutions.com", s.baseURL())
	s.repo.push("The example")
}

// version is that of the project, which the example names.
func version(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../VERSION")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// baseURL is the part of a connection that says where Concur is.
func (s *stage) baseURL() string {
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.server.Certificate().Raw})
	return "baseURL: " + s.server.URL + "\n  caBundle: " + base64.StdEncoding.EncodeToString(root)
}

// startManager runs the manager as its Deployment would.
func (s *stage) startManager() {
	s.t.Helper()
	ports, err := freePorts(1)
	s.Expect(err).NotTo(gomega.HaveOccurred())
	program, err := filepath.Abs("../../bin/manager")
	s.Expect(err).NotTo(gomega.HaveOccurred())
	p, err := launch(s.whole.TempDir(), "manager", os.Environ(), program, "--kubeconfig="+suite.plane.Kubeconfig,
		"--allowed-hosts=localhost,127.0.0.1", "--receiver-url=https://events.example.com",
		"--receiver-routes-secret="+system+"/ess-operator-receiver-routes",
		"--receiver-admin-url=https://localhost:1", "--receiver-admin-secret="+system+"/ess-operator-receiver-admin", // nobody is there
		"--health-probe-bind-address=127.0.0.1:"+ports[0])
	s.Expect(err).NotTo(gomega.HaveOccurred())
	s.whole.Cleanup(func() {
		p.stop()
		if s.whole.Failed() {
			s.whole.Logf("the manager's log ends:\n%s", p.tail())
		}
	})
	s.Expect(p.await(s.t.Context(), "http://127.0.0.1:"+ports[0]+"/readyz")).To(gomega.Succeed())
}

// apply applies a file as administrator.
func (s *stage) apply(path string) {
	s.t.Helper()
	_, err := suite.plane.Kubectl(s.t.Context(), "apply", "-f", path)
	s.Expect(err).NotTo(gomega.HaveOccurred())
}

// argocd runs the CLI.
func (s *stage) argocd(args ...string) string {
	s.t.Helper()
	out, err := suite.argo.cli(s.t.Context(), args...)
	s.Expect(err).NotTo(gomega.HaveOccurred())
	return out
}

// health is what Argo CD shows of the one object of a kind in finance, as "Degraded TopicNotAllowed: …".
func (s *stage) health(kind string) string {
	s.t.Helper()
	var shown struct {
		Status struct {
			Resources []struct {
				Kind   string
				Health struct{ Status, Message string }
			}
		}
	}
	out, err := suite.argo.cli(s.t.Context(), "app", "get", "finance", "-o", "json")
	if err != nil {
		return err.Error() // it may not be there yet
	}
	s.Expect(json.Unmarshal([]byte(out), &shown)).To(gomega.Succeed())
	for _, r := range shown.Status.Resources {
		if r.Kind == kind {
			return r.Health.Status + " " + r.Health.Message
		}
	}
	return "no " + kind
}

// secret makes the Secret of a connection, which does not come from git.
func (s *stage) secret(namespace string) {
	s.t.Helper()
	s.Expect(suite.client.Create(s.t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "acme-us"},
		StringData: map[string]string{"client_id": appID, "client_secret": appSecret},
	})).To(gomega.Succeed())
}

// subscription reads the subscription of the example; nil when there is none.
func (s *stage) subscription(namespace string) *v1alpha1.EventSubscription {
	s.t.Helper()
	var sub v1alpha1.EventSubscription
	err := suite.client.Get(s.t.Context(), client.ObjectKey{Namespace: namespace, Name: "expense-reports"}, &sub)
	if client.IgnoreNotFound(err) != nil {
		s.t.Fatal(err)
	}
	if err != nil {
		return nil
	}
	return &sub
}

// filters are what ESS holds for our application, by id.
func (s *stage) filters() map[string]string {
	held := map[string]string{}
	for _, h := range s.ess.Subscriptions(appID) {
		held[h.ID] = h.Filter
	}
	return held
}
