package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// client calls the emulator's admin API and the manager's probes.
var client = &http.Client{Timeout: 10 * time.Second}

// act calls the admin API and shows the call as a curl command.
func (s *stage) act(ctx context.Context, method, path string) error {
	fmt.Printf("  $ curl -X %s 'http://%s%s'\n", method, s.admin, path)
	return s.call(ctx, method, path, nil)
}

// call calls the admin API and decodes the answer into result, unless that is nil.
func (s *stage) call(ctx context.Context, method, path string, result any) error {
	return do(ctx, method, "http://"+string(s.admin)+path, "", result)
}

// send is call with a body, shown as a curl command.
func (s *stage) send(ctx context.Context, method, path, body string, result any) error {
	fmt.Printf("  $ curl -X %s 'http://%s%s' -d '%s'\n", method, s.admin, path, body)
	return do(ctx, method, "http://"+string(s.admin)+path, body, result)
}

// trusting is a client that trusts one CA.
func (s *stage) trusting(caFile string) (*http.Client, error) {
	ca, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("reading the CA: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}}
	return &http.Client{Timeout: 10 * time.Second, Transport: transport}, nil
}

func get(ctx context.Context, url string, result any) error {
	return do(ctx, http.MethodGet, url, "", result)
}

func do(ctx context.Context, method, url, body string, result any) error {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return fmt.Errorf("calling %s: %w", url, err)
	}
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("calling: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 16<<20))
	if err != nil {
		return fmt.Errorf("reading the answer of %s: %w", url, err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("calling %s: HTTP %d: %s", url, answer.StatusCode, text)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(text, result); err != nil {
		return fmt.Errorf("reading the answer of %s: %w", url, err)
	}
	return nil
}

// showCalls prints the calls of some operations that Concur got, and forgets all.
func (s *stage) showCalls(ctx context.Context, operations ...string) error {
	var log []struct {
		Operation, Method, Path string
		Status                  int
	}
	if err := s.call(ctx, http.MethodGet, "/v1/requests", &log); err != nil {
		return err
	}
	fmt.Println("  Concur was called for this:")
	for _, c := range log {
		if slices.Contains(operations, c.Operation) {
			fmt.Printf("    %-6s %s  %d\n", c.Method, c.Path, c.Status)
		}
	}
	return s.call(ctx, http.MethodDelete, "/v1/requests", nil)
}
