//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// adminPort is where the emulator's pod serves its admin API.
const adminPort = 8080

// forward keeps a port of this machine connected to one of a Deployment's pod with kubectl port-forward, until ctx ends.
// It connects again when the pod is replaced.
func (s *suite) forward(ctx context.Context, namespace, target string, port int) (address string) {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	s.must(err)
	address = listener.Addr().String()
	s.must(listener.Close())
	_, local, err := net.SplitHostPort(address)
	s.must(err)
	go func() {
		for ctx.Err() == nil {
			cmd := exec.CommandContext(ctx, s.kubectlPath, "port-forward", "-n", namespace, target, local+":"+strconv.Itoa(port))
			cmd.Dir = root
			_ = cmd.Run() // ends with its pod, and is begun anew
			select {
			case <-ctx.Done():
			case <-time.After(300 * time.Millisecond):
			}
		}
	}()
	return address
}

// concur is the emulator's admin API.
type concur struct {
	url    string
	client *http.Client
}

// reach is the way to the emulator as long as ctx lives, once it runs.
func (s *suite) reach(ctx context.Context) *concur {
	s.t.Helper()
	address := s.forward(ctx, concurNamespace, "deployment/ess-emulator", adminPort)
	return &concur{url: "http://" + address, client: &http.Client{Timeout: 20 * time.Second}}
}

// call makes one call and decodes the answer into result, unless that is nil.
func (c *concur) call(ctx context.Context, method, path, body string, result any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, strings.NewReader(body))
	if err != nil {
		return fmt.Errorf("calling the emulator: %w", err)
	}
	answer, err := c.client.Do(request)
	if err != nil {
		return fmt.Errorf("calling the emulator: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("reading the emulator's answer: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("calling the emulator: %s %s: HTTP %d: %s", method, path, answer.StatusCode, text)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(text, result); err != nil {
		return fmt.Errorf("reading the emulator's answer to %s %s: %w", method, path, err)
	}
	return nil
}

// errNobody: no subscription wants the event, which is the end of deliveries to its companies.
var errNobody = errors.New("no subscription wants the event")

// publish lets an event happen.
func (c *concur) publish(ctx context.Context, id string) error {
	event := fmt.Sprintf(`{"id":%q,"eventType":"statusChanged","topic":%q,"timeStamp":%q,"facts":{"companyId":%q,"reportId":%q}}`,
		id, topic, time.Now().UTC().Format(time.RFC3339Nano), company, id)
	var published struct{ Deliveries int }
	if err := c.call(ctx, http.MethodPost, "/v1/events?company="+company, event, &published); err != nil {
		return err
	}
	if published.Deliveries == 0 {
		return fmt.Errorf("publishing %s: %w", id, errNobody)
	}
	return nil
}

// deliveries is what became of the events whose ids begin with prefix.
func (c *concur) deliveries(ctx context.Context, prefix string) ([]essemulator.Delivery, error) {
	var all, own []essemulator.Delivery
	if err := c.call(ctx, http.MethodGet, "/v1/deliveries", "", &all); err != nil {
		return nil, err
	}
	for i := range all {
		if strings.HasPrefix(all[i].EventID, prefix) {
			own = append(own, all[i])
		}
	}
	return own, nil
}

// forgetCalls begins a new log of calls.
func (c *concur) forgetCalls(ctx context.Context) error {
	return c.call(ctx, http.MethodDelete, "/v1/requests", "", nil)
}

// calls counts the calls since the log was begun, by operation.
func (c *concur) calls(ctx context.Context) (map[string]int, error) {
	var log []struct{ Operation string }
	if err := c.call(ctx, http.MethodGet, "/v1/requests", "", &log); err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, call := range log {
		counts[call.Operation]++
	}
	return counts, nil
}
