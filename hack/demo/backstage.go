package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ess-operator/ess-operator/test/controlplane"
)

// The application and the company of the demo. The credentials are those that
// the emulator prints in its manual.
const (
	clientID     = "5e55e55e-0000-4000-8000-000000000001"
	clientSecret = "5e55e55e-0000-4000-8000-0000000000aa"
	company      = "e6a1f1c4-8c8a-4f35-9c52-6d52f6a7a001"
)

func (s *stage) startControlPlane(ctx context.Context) error {
	s.title("A real control plane: etcd, kube-apiserver, kube-controller-manager")
	var err error
	if s.plane, err = controlplane.Start(ctx, controlplane.Options{}); err != nil {
		return err
	}
	fmt.Printf("  $ export KUBECONFIG=%s PATH=%s:$PATH\n", word(s.plane.Kubeconfig), word(s.plane.AssetsDir))
	return s.kubectl(ctx, "apply", "-f", "config/crd/bases")
}

func (s *stage) startEmulator(ctx context.Context) error {
	s.title("SAP Concur, as far as ESS goes: the emulator")
	err := s.start("ess-emulator", "--state-dir="+s.path("emulator"), "--delete-delay=1s",
		"--listen="+string(s.emulator), "--admin-listen="+string(s.admin),
		"--user-token=token="+userToken+",user=administrator@acme.example,company="+company)
	if err != nil {
		return err
	}
	return s.until(ctx, "the emulator", func(ctx context.Context) error { return s.call(ctx, "GET", "/healthz", nil) })
}

func (s *stage) startManager(ctx context.Context) error {
	s.title("The operator")
	probe, err := freeAddress()
	if err != nil {
		return err
	}
	if err := s.makeSecrets(ctx); err != nil {
		return err
	}
	if err := s.writeReceiverFiles(ctx); err != nil {
		return err
	}
	err = s.start("manager", "--kubeconfig="+s.plane.Kubeconfig, "--allowed-hosts=localhost,127.0.0.1",
		"--receiver-url=https://"+string(s.receiver), "--receiver-routes-secret="+operatorNamespace+"/"+routesSecret,
		"--receiver-ca-file="+s.path("emulator-ca.crt"),
		"--receiver-admin-url=https://"+string(s.receiverAdmin), "--receiver-admin-secret="+operatorNamespace+"/"+adminSecret,
		"--health-probe-bind-address="+string(probe), "--log-format=text")
	if err != nil {
		return err
	}
	return s.until(ctx, "the manager", func(ctx context.Context) error { return get(ctx, "http://"+string(probe)+"/readyz", nil) })
}

// writeOverlay copies the samples and says what differs here: where Concur and
// the sink are, whom to trust, and the credentials.
func (s *stage) writeOverlay() (string, error) {
	dir := s.path("samples")
	base := filepath.Join(dir, "base")
	if err := os.CopyFS(base, os.DirFS("config/samples")); err != nil {
		return "", fmt.Errorf("copying the samples: %w", err)
	}
	ca, err := os.ReadFile(filepath.Join(s.path("emulator"), "ca.crt"))
	if err != nil {
		return "", fmt.Errorf("reading the emulator's CA: %w", err)
	}
	text := strings.NewReplacer(
		"{url}", "https://"+string(s.emulator), "{ca}", base64.StdEncoding.EncodeToString(ca),
		"{sink}", "http://"+string(s.sink.address), "{id}", clientID, "{secret}", clientSecret, "{token}", userToken,
	).Replace(overlay)
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("writing the overlay: %w", err)
	}
	return dir, nil
}

const overlay = `resources: [base]
secretGenerator:
- {name: administrator, namespace: finance, literals: ["token={token}"], options: {disableNameSuffixHash: true}}
patches:
- target: {kind: Secret, name: acme-us}
  patch: |
    - {op: replace, path: /stringData, value: {client_id: "{id}", client_secret: "{secret}"}}
- target: {kind: ConcurConnection}
  patch: |
    - {op: replace, path: /spec/baseURL, value: "{url}"}
    - {op: add, path: /spec/caBundle, value: "{ca}"}
    - {op: add, path: /spec/resyncInterval, value: 10s}
- target: {kind: EventSubscription}
  patch: |
    - {op: replace, path: /spec/endpoint, value: {receiver: {}}}
    - {op: add, path: /spec/sink, value: {uri: "{sink}"}}
- target: {kind: ApplicationConnector}
  patch: |
    - {op: replace, path: /spec/sink, value: {uri: "{sink}"}}
    - {op: add, path: /spec/credentialOverlap, value: 0s}
    - {op: add, path: /spec/recovery, value: {baseURL: "{url}", caBundle: "{ca}", tokenSecretRef: {name: administrator}, interval: 10s, deleteRecovered: true}}
`
