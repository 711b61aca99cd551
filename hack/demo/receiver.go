package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// What the manager writes for the receiver.
const (
	operatorNamespace = "ess-operator-system"
	routesSecret      = "receiver-routes"
	adminSecret       = "receiver-admin"
)

// mounts are the keys of those Secrets that are mounted, in a folder of the Secret's name.
var mounts = map[string][]string{
	routesSecret: {"routes.yaml"},
	adminSecret:  {"token", "tls.crt", "tls.key", "ca.crt"},
}

// receiverConfig trusts the emulator's CA and key where a real one trusts Concur's, and lets sinks be on loopback.
const receiverConfig = `publicURL: https://%[1]s
events: {listen: "%[1]s", tls: {certFile: receiver.crt, keyFile: receiver.key}, drainQuietPeriod: 1s}
admin: {listen: "%[2]s", tls: {certFile: receiver-admin/tls.crt, keyFile: receiver-admin/tls.key}, tokenFile: receiver-admin/token}
proof:
  require: all
  clientCertificate: {caFile: emulator-ca.crt}
  signature: {publicKeyFiles: [emulator.pem]}
sinks: {denyCIDRs: []}
journal: {bbolt: {path: journal.db, maxSize: 1Gi}}
`

func (s *stage) startReceiver(ctx context.Context) error {
	s.title("The receiver: no Kubernetes credentials, two Secrets that the operator has filled, and a volume")
	if err := s.until(ctx, "the Secrets to be filled", s.mounted); err != nil {
		return err
	}
	if err := s.sink.open(ctx); err != nil {
		return err
	}
	err := s.start("webhook-receiver", "--config="+s.path("receiver.yaml"), "--routes="+s.path("receiver-routes/routes.yaml"))
	if err != nil {
		return err
	}
	return s.until(ctx, "the receiver", func(ctx context.Context) error { return s.askReceiver(ctx, "/readyz", nil) })
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
		"receiver.yaml": fmt.Sprintf(receiverConfig, s.receiver, s.receiverAdmin),
	} {
		if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("writing the receiver's files: %w", err)
		}
	}
	return nil
}

// makeSecrets makes the Secrets that config/receiver would bring, empty, and mounts them as the kubelet would:
// whatever the manager writes there appears in the receiver's folder.
func (s *stage) makeSecrets(ctx context.Context) error {
	for _, args := range [][]string{
		{"create", "namespace", operatorNamespace},
		{"create", "secret", "generic", routesSecret, "-n", operatorNamespace},
		{"create", "secret", "generic", adminSecret, "-n", operatorNamespace},
	} {
		if err := s.kubectl(ctx, args...); err != nil {
			return err
		}
	}
	for name := range mounts {
		if err := os.Mkdir(s.path(name), 0o700); err != nil {
			return fmt.Errorf("making a folder: %w", err)
		}
	}
	mounting, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(time.Second); mounting.Err() == nil; {
			for name, keys := range mounts {
				s.mount(mounting, name, keys)
			}
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

// mount copies keys of a Secret once. What fails is tried again a second later.
func (s *stage) mount(ctx context.Context, name string, keys []string) {
	var secret struct{ Data map[string][]byte }
	text, err := s.plane.Kubectl(ctx, "get", "secret", "-n", operatorNamespace, name, "-o", "json")
	if err != nil || json.Unmarshal(text, &secret) != nil {
		return
	}
	for _, key := range keys {
		file, content := filepath.Join(s.path(name), key), secret.Data[key]
		if before, err := os.ReadFile(file); len(content) == 0 || err == nil && bytes.Equal(before, content) {
			continue
		}
		if os.WriteFile(file+".new", content, 0o600) == nil {
			_ = os.Rename(file+".new", file) // the next second tries again
		}
	}
}

// mounted is nil once all keys have been mounted, for which the kubelet would hold the receiver back.
func (s *stage) mounted(context.Context) error {
	for name, keys := range mounts {
		for _, key := range keys {
			if _, err := os.Stat(filepath.Join(s.path(name), key)); err != nil {
				return fmt.Errorf("%s of Secret %s is not there yet: %w", key, name, err)
			}
		}
	}
	return nil
}

// store is what the receiver says of the one route there is.
func (s *stage) store(ctx context.Context) (pending int, err error) {
	var statistics struct{ Routes []struct{ Pending int } }
	if err := s.askReceiver(ctx, "/v1/statistics", &statistics); err != nil {
		return 0, err
	}
	for _, route := range statistics.Routes {
		pending += route.Pending
	}
	return pending, nil
}

// askReceiver asks the admin port, with the token and the authority of the Secret, and decodes the answer into result, unless that is nil.
func (s *stage) askReceiver(ctx context.Context, path string, result any) error {
	token, err := os.ReadFile(s.path("receiver-admin/token"))
	if err != nil {
		return fmt.Errorf("reading the token: %w", err)
	}
	caller, err := s.trusting(s.path("receiver-admin/ca.crt"))
	if err != nil {
		return err
	}
	defer caller.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+string(s.receiverAdmin)+path, nil)
	if err != nil {
		return fmt.Errorf("asking the receiver: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+string(token))
	answer, err := caller.Do(request)
	if err != nil {
		return fmt.Errorf("asking the receiver: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("asking the receiver for %s: %s", path, answer.Status)
	}
	if result == nil {
		return nil
	}
	if err := json.NewDecoder(answer.Body).Decode(result); err != nil {
		return fmt.Errorf("reading the receiver's answer: %w", err)
	}
	return nil
}
