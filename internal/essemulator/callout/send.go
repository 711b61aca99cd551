package callout

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/ess-operator/ess-operator/internal/essemulator/timing"
)

// maxAnswerBody bounds what is read of a connector's answer, which Concur does not specify.
const maxAnswerBody = 64 << 10

// letter is all that one call of a connector needs.
type letter struct {
	method, url        string
	userName, password string
	body               []byte
	contentType        string
	timeout            time.Duration
}

// send makes one call. A connection that breaks is an error even after a good status.
func (s *Service) send(ctx context.Context, l letter) Attempt {
	try := Attempt{Time: s.clock.Now(), URL: l.url}
	ctx, cancel := timing.WithTimeout(ctx, s.clock, l.timeout)
	defer cancel()
	status, err := s.exchange(ctx, l)
	if err = timing.Explain(ctx, l.timeout, err); err != nil {
		try.Error = err.Error()
	}
	try.Status = status
	return try
}

func (s *Service) exchange(ctx context.Context, l letter) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, l.method, l.url, bytes.NewReader(l.body))
	if err != nil {
		return 0, fmt.Errorf("making the request: %w", err)
	}
	if l.contentType != "" && l.method == http.MethodPost {
		req.Header.Set("Content-Type", l.contentType)
	}
	req.Header.Set("User-Agent", "ess-emulator")
	req.SetBasicAuth(l.userName, l.password)
	s.mu.Lock()
	client := s.client
	s.mu.Unlock()
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswerBody)); err != nil {
		return resp.StatusCode, fmt.Errorf("reading the answer: %w", err)
	}
	return resp.StatusCode, nil
}

// suites are what Concur's side offers with TLS 1.2 (SAP Concur, platform security, TLS for callouts). The
// page also names ECDHE_RSA with AES_256_CBC_SHA384, which Go does not have.
var suites = []uint16{
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
}

// newClient makes the client of callouts. It presents no certificate, follows no redirect and knows no proxy:
// Concur documents none of the three.
func newClient(roots *x509.CertPool, tls13 bool) *http.Client {
	newest := uint16(tls.VersionTLS12)
	if tls13 {
		newest = tls.VersionTLS13
	}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSClientConfig: &tls.Config{
				MinVersion: tls.VersionTLS12, MaxVersion: newest, CipherSuites: suites, RootCAs: roots,
			},
			TLSHandshakeTimeout:    10 * time.Second,
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: 1 << 20,
		},
	}
}
