package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// maxEcho bounds one event of the built-in endpoint.
const maxEcho = 16 << 20

// echo is the built-in endpoint: it checks the signature of what it gets, prints it, and answers 200. It is an
// application connector, too, for calls with the credentials of any connector registered. What is neither
// signed by the emulator nor has such credentials gets 401, as in a real receiver.
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
	if name, ok := h.connector(r); ok {
		h.print("%s %s for connector %s, credentials good:\n%s\n", r.Method, r.URL.Path, name, body)
		return
	}
	if !h.authentic(body, r.Header.Get("Concur-Signature")) {
		http.Error(w, "Concur-Signature does not fit the body", http.StatusUnauthorized)
		return
	}
	h.print("event at %s, signature good, correlation id %s:\n%s\n",
		r.URL.Path, r.Header.Get("Concur-Correlationid"), body)
}

func (h *echo) print(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	fmt.Fprintf(h.out, format, args...)
}

// connector finds the connector whose credentials a call carries.
func (h *echo) connector(r *http.Request) (name string, ok bool) {
	user, password, given := r.BasicAuth()
	for _, c := range h.emu.Callouts().Connectors() {
		if given && user == c.UserName && subtle.ConstantTimeCompare([]byte(password), []byte(c.Password)) == 1 {
			return c.Name, true
		}
	}
	return "", false
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
