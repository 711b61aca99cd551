package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"
)

// Where the manager writes the routes.
const (
	operatorNamespace = "ess-operator-system"
	routesSecret      = "receiver-routes"
	adminToken        = "demo-token-of-the-admin-port"
)

// receiverConfig trusts the emulator's CA and key where a real one trusts Concur's, and lets sinks be on loopback.
const receiverConfig = `publicURL: https://%[1]s
events: {listen: "%[1]s", tls: {certFile: receiver.crt, keyFile: receiver.key}, drainQuietPeriod: 1s}
admin: {listen: "%[2]s", tokenFile: admin-token}
proof:
  require: all
  clientCertificate: {caFile: emulator-ca.crt}
  signature: {publicKeyFiles: [emulator.pem]}
sinks: {denyCIDRs: []}
journal: {bbolt: {path: journal.db, maxSize: 1Gi}}
`

func (s *stage) startReceiver(ctx context.Context) error {
	s.title("The receiver: no Kubernetes credentials, two files and a volume")
	if err := s.writeReceiverFiles(ctx); err != nil {
		return err
	}
	if err := s.sink.open(ctx); err != nil {
		return err
	}
	err := s.start("webhook-receiver", "--config="+s.path("receiver.yaml"), "--routes="+s.path("routes.yaml"))
	if err != nil {
		return err
	}
	return s.until(ctx, "the receiver", func(ctx context.Context) error { return get(ctx, "http://"+string(s.receiverAdmin)+"/readyz", nil) })
}

// writeReceiverFiles asks the emulator, which is the only authority here, for a server certificate and its public keys.
func (s *stage) writeReceiverFiles(ctx context.Context) error {
	var keys struct{ CA, SigningKey string }
	if err := s.call(ctx, http.MethodGet, "/v1/keys", &keys); err != nil {
		return err
	}
	var server struct{ Certificate, Key string }
	if err := s.send(ctx, http.MethodPost, "/v1/certificates", `{"hosts":["127.0.0.1"]}`, &server); err != nil {
		return err
	}
	for name, text := range map[string]string{
		"emulator-ca.crt": keys.CA, "emulator.pem": keys.SigningKey, "receiver.crt": server.Certificate, "receiver.key": server.Key,
		"admin-token": adminToken, "routes.yaml": "", "receiver.yaml": fmt.Sprintf(receiverConfig, s.receiver, s.receiverAdmin),
	} {
		if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("writing the receiver's files: %w", err)
		}
	}
	return nil
}

// makeRoutesSecret makes the Secret that config/receiver would bring, and mounts it as the kubelet would:
// whatever the manager writes there appears in the receiver's folder.
func (s *stage) makeRoutesSecret(ctx context.Context) error {
	for _, args := range [][]string{
		{"create", "namespace", operatorNamespace},
		{"create", "secret", "generic", routesSecret, "-n", operatorNamespace},
	} {
		if err := s.kubectl(ctx, args...); err != nil {
			return err
		}
	}
	mounting, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(time.Second); mounting.Err() == nil; {
			s.mountRoutes(mounting)
			select {
			case <-mounting.Done():
				tick.Stop()
			case <-tick.C:
			}
		}
	}()
	s.unmount = func() {
		stop()
		<-done
	}
	return nil
}

// mountRoutes copies the routes once. What fails is tried again a second later.
func (s *stage) mountRoutes(ctx context.Context) {
	encoded, err := s.plane.Kubectl(ctx, "get", "secret", "-n", operatorNamespace, routesSecret, "-o", `jsonpath={.data.routes\.yaml}`)
	if err != nil || len(encoded) == 0 {
		return
	}
	text, err := base64.StdEncoding.DecodeString(string(encoded))
	if err != nil {
		return
	}
	if before, err := os.ReadFile(s.path("routes.yaml")); err == nil && bytes.Equal(before, text) {
		return
	}
	if os.WriteFile(s.path("routes.new"), text, 0o600) == nil {
		_ = os.Rename(s.path("routes.new"), s.path("routes.yaml")) // the next second tries again
	}
}

// store is what the receiver says of the one route there is.
func (s *stage) store(ctx context.Context) (pending int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+string(s.receiverAdmin)+"/v1/statistics", nil)
	if err != nil {
		return 0, fmt.Errorf("asking the receiver: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+adminToken)
	answer, err := client.Do(request)
	if err != nil {
		return 0, fmt.Errorf("asking the receiver: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	var statistics struct{ Routes []struct{ Pending int } }
	if err := json.NewDecoder(answer.Body).Decode(&statistics); err != nil {
		return 0, fmt.Errorf("reading the receiver's statistics: %w", err)
	}
	for _, route := range statistics.Routes {
		pending += route.Pending
	}
	return pending, nil
}
