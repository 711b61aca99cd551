package essemulator

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/ess-operator/ess-operator/internal/essemulator/timing"
)

// parcel is all that one POST needs.
type parcel struct {
	endpoint      string
	correlationID string
	body          []byte
	key           *rsa.PrivateKey
	padding       Padding
	signature     SignatureVariant
	timeout       time.Duration
}

// response is what came back.
type response struct {
	status     int
	retryAfter time.Duration
	err        error
}

// maxAnswerBody bounds what is read of an endpoint's answer; ESS has no use for it.
const maxAnswerBody = 64 << 10

// post sends one event. A broken connection is an error even after a 2xx status, as at Concur.
func (e *Emulator) post(ctx context.Context, p parcel) response {
	ctx, cancel := timing.WithTimeout(ctx, e.clock, p.timeout)
	defer cancel()
	got, err := e.exchange(ctx, p)
	got.err = timing.Explain(ctx, p.timeout, err)
	return got
}

func (e *Emulator) exchange(ctx context.Context, p parcel) (response, error) {
	signature, err := p.sign()
	if err != nil {
		return response{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.endpoint, bytes.NewReader(p.body))
	if err != nil {
		return response{}, fmt.Errorf("making the request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "ess-emulator")
	req.Header.Set(correlationHeader, p.correlationID)
	if signature != "" {
		req.Header.Set(signatureHeader, signature)
	}
	resp, err := e.client.Do(req)
	if err != nil {
		return response{}, err
	}
	defer resp.Body.Close()
	got := response{status: resp.StatusCode, retryAfter: e.retryAfter(resp.Header.Get("Retry-After"))}
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswerBody)); err != nil {
		return got, fmt.Errorf("reading the answer: %w", err)
	}
	return got, nil
}

// retryAfter reads seconds or a date; anything else is no wish at all.
func (e *Emulator) retryAfter(value string) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(e.clock.Now()))
	}
	return 0
}

// newClient makes the client of deliveries. It follows no redirect and knows no proxy: what ESS does with
// either is not documented, and an emulator should reach what it is told to reach.
func (e *Emulator) newClient() *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSClientConfig: &tls.Config{
				MinVersion: tls.VersionTLS12, RootCAs: e.roots, GetClientCertificate: e.clientCertificate,
			},
			TLSHandshakeTimeout:    10 * time.Second,
			MaxIdleConnsPerHost:    24, // as many as deliver at once by default
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: 1 << 20,
		},
	}
}
