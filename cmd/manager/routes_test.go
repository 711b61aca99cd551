package main

import (
	"encoding/base64"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"github.com/ess-operator/ess-operator/test/controlplane"
)

const watched = `
apiVersion: v1
kind: Secret
metadata: {name: routes, namespace: kube-public}
---
apiVersion: concur.ess-operator.io/v1alpha1
kind: ConcurConnection
metadata: {name: acme-us, namespace: default}
spec:
  baseURL: https://us2.api.concursolutions.com
  credentialsSecretRef: {name: acme-us}
  suspend: true
---
apiVersion: concur.ess-operator.io/v1alpha1
kind: EventSubscription
metadata: {name: reports, namespace: default}
spec:
  connectionRef: {name: acme-us}
  topic: public.concur.expense.report
  endpoint: {receiver: {}}
  sink: {ref: {apiVersion: v1, kind: Service, name: bot}}
`

// TestRoutesOutsideTheNamespacesThatAreWatched runs a manager that watches one
// namespace and writes routes to another, whose Secret is in no cache.
func TestRoutesOutsideTheNamespacesThatAreWatched(t *testing.T) {
	t.Parallel()
	plane, err := controlplane.Start(t.Context(), controlplane.Options{CRDDirs: []string{"config/crd/bases"}, WithoutControllers: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	if _, err := plane.KubectlInput(t.Context(), strings.NewReader(watched), "apply", "-f", "-"); err != nil {
		t.Fatal(err)
	}
	program := exec.CommandContext(t.Context(), os.Args[0], "--kubeconfig="+plane.Kubeconfig, "--health-probe-bind-address=0",
		"--watch-namespaces=default", "--receiver-url=https://events.example.com", "--receiver-routes-secret=kube-public/routes")
	program.Env = append(os.Environ(), asProgram+"=1")
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = program.Process.Kill() // it may have ended
		_ = program.Wait()
	})
	routes := func() (string, error) {
		encoded, err := plane.Kubectl(t.Context(), "get", "secret", "-n", "kube-public", "routes", "-o", `jsonpath={.data.routes\.yaml}`)
		if err != nil {
			return "", err
		}
		text, err := base64.StdEncoding.DecodeString(string(encoded))
		return string(text), err
	}
	g := gomega.NewWithT(t)
	g.Eventually(routes, patience, 100*time.Millisecond).Should(gomega.ContainSubstring("uri: http://bot.default.svc\n"))
	// And again: what the manager wrote itself never comes to its cache.
	_, err = plane.Kubectl(t.Context(), "patch", "eventsubscription", "reports", "--type=merge", "-p", `{"spec":{"sink":{"ref":{"name":"other"}}}}`)
	if err != nil {
		t.Fatal(err)
	}
	g.Eventually(routes, patience, 100*time.Millisecond).Should(gomega.ContainSubstring("uri: http://other.default.svc\n"))
}
