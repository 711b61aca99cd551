package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// maxEcho bounds one event of the built-in endpoint.
const maxEcho = 16 << 20

// echo is the built-in endpoint: it checks the signature of what it gets, prints it, and answers 200. What
// is not signed by the emulator gets 401, as in a real receiver.
type echo struct {
	emu *essemulator.Emulator
	mu  sync.Mutex // keeps events apart on out
	out io.Writer
}

func (h *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEcho))
	if err != nil {
		http.Error(w, "reading the event: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	if !h.authentic(body, r.Header.Get("Concur-Signature")) {
		http.Error(w, "Concur-Signature does not fit the body", http.StatusUnauthorized)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	fmt.Fprintf(h.out, "event at %s, signature good, correlation id %s:\n%s\n",
		r.URL.Path, r.Header.Get("Concur-Correlationid"), body)
}

// authentic verifies a signature of either padding.
func (h *echo) authentic(body []byte, header string) bool {
	signature, err := base64.StdEncoding.DecodeString(header)
	if err != nil {
		return false
	}
	key, digest := &h.emu.Keys().Webhook.PublicKey, sha256.Sum256(body)
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil ||
		rsa.VerifyPSS(key, crypto.SHA256, digest[:], signature, nil) == nil
}
