package receiver_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// load is ESS at its busiest: senders that repeat each event until it is acknowledged.
type load struct {
	w      *world
	client *http.Client
	key    *rsa.PrivateKey

	mu           sync.Mutex
	acknowledged map[string][]byte // by CloudEvents identity
	unexpected   []int             // answers with which ESS would have dropped the event
}

func newLoad(w *world, senders int) *load {
	return &load{
		w: w, key: w.ess.Keys().Webhook, acknowledged: map[string][]byte{},
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
			MaxIdleConnsPerHost: senders,
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: essemulator.DefaultRoots(w.ess.Keys())},
		}},
	}
}

// send sends events of one sender, one after the other, until ctx ends.
func (l *load) send(ctx context.Context, sender int) {
	subscription := l.w.subscriptions[sender%len(l.w.subscriptions)]
	for n := 0; ctx.Err() == nil; n++ {
		id := fmt.Sprintf("%d-%d", sender, n)
		body := fmt.Appendf(nil, `{"id":%q,"eventType":"any","topic":"t","timeStamp":"2026-01-01T00:00:00Z","facts":{"reportId":"R%d"}}`, id, n%7)
		digest := sha256.Sum256(body)
		signature, err := rsa.SignPKCS1v15(rand.Reader, l.key, crypto.SHA256, digest[:])
		if err != nil {
			panic(err)
		}
		for ctx.Err() == nil && !l.post(ctx, subscription, body, base64.StdEncoding.EncodeToString(signature)) {
			select {
			case <-ctx.Done():
			case <-time.After(glance):
			}
		}
	}
}

// post tries once, and reports whether the event was acknowledged.
func (l *load) post(ctx context.Context, subscription string, body []byte, signature string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.w.url(subscription), bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Concur-Signature", signature)
	answer, err := l.client.Do(request)
	if err != nil {
		return false // as ESS, which repeats after every I/O error
	}
	_ = answer.Body.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch status := answer.StatusCode; {
	case status/100 == 2:
		l.acknowledged[identity(source(subscription), idOf(body))] = body
		return true
	case status != http.StatusServiceUnavailable:
		l.unexpected = append(l.unexpected, status)
	}
	return false
}

// count is how many events were acknowledged so far.
func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acknowledged)
}
