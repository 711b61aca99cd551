package main

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/intake"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/journal"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/verify"
)

// variant is what a server does for each event; each does what the one before does, and more.
type variant string

// The variants.
const (
	plain         variant = "HTTP alone"
	withTLS       variant = "and TLS"
	withSignature variant = "and the signature"
	withJournal   variant = "and the journal: the receiver"
)

var variants = []variant{plain, withTLS, withSignature, withJournal}

// target is a server under test.
type target struct {
	server *intake.Server
	served chan error
	store  *journal.Journal // nil without journal
	dir    string
	url    string
	roots  *x509.CertPool
}

// forgetful stores nothing.
type forgetful struct{}

func (forgetful) Append(context.Context, event.Entry) (event.Outcome, error) {
	return event.Accepted, nil
}

// trusting proves everything.
type trusting struct{}

func (trusting) Prove(*http.Request, []byte) (string, error) { return "nothing", nil }

const routes = `subscriptions: [{namespace: finance, name: expense-reports, subscriptionID: acme, source: "https://us2.api.concursolutions.com", awaitSink: true}]`

func newTarget(v variant, key *rsa.PrivateKey, dir string) (*target, error) {
	t := &target{served: make(chan error, 1)}
	table, err := route.Parse([]byte(routes))
	if err != nil {
		return nil, fmt.Errorf("making routes: %w", err)
	}
	var prover intake.Prover = trusting{}
	if v == withSignature || v == withJournal {
		if prover, err = newPolicy(key); err != nil {
			return nil, err
		}
	}
	var store intake.Store = forgetful{}
	if v == withJournal {
		if t.dir, err = os.MkdirTemp(dir, "bench-"); err != nil {
			return nil, fmt.Errorf("making a folder: %w", err)
		}
		if t.store, err = journal.Open(journal.Options{Path: filepath.Join(t.dir, "journal.db"), Logger: slog.New(slog.DiscardHandler)}); err != nil {
			return nil, err
		}
		store = t.store
	}
	handler := intake.New(intake.Config{
		Store: store, Prover: func() intake.Prover { return prover }, Routes: func() *route.Table { return table },
		Logger: slog.New(slog.DiscardHandler),
	})
	return t, t.serve(handler, v != plain)
}

func newPolicy(key *rsa.PrivateKey) (*verify.Policy, error) {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("encoding the key: %w", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return verify.New(verify.Config{Signature: &verify.Signature{Keys: []verify.Key{{Name: "bench", PEM: text}}}})
}

// serve begins to listen on a free port.
func (t *target) serve(handler http.Handler, encrypted bool) error {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	config := intake.ServerConfig{Handler: handler, Logger: slog.New(slog.DiscardHandler)}
	t.url = "http://" + listener.Addr().String() + "/events/finance/expense-reports"
	if encrypted {
		certificate, roots, err := newCertificate()
		if err != nil {
			return err
		}
		t.roots, t.url = roots, "https"+t.url[len("http"):]
		config.Identity = func() *intake.Identity { return &intake.Identity{Certificates: []tls.Certificate{*certificate}} }
	}
	t.server = intake.NewServer(config)
	go func() { t.served <- t.server.Serve(listener) }()
	return nil
}

// client is one sender's.
func (t *target) client(handshakes bool) *http.Client {
	transport := &http.Transport{DisableKeepAlives: handshakes}
	if t.roots != nil {
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: t.roots}
	}
	return &http.Client{Transport: transport}
}

func (t *target) post(ctx context.Context, client *http.Client, e signed) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, bytes.NewReader(e.body))
	if err != nil {
		return fmt.Errorf("posting: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(verify.SignatureHeader, string(e.signature))
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("posting: %w", err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("posting: the answer is %s", answer.Status)
	}
	return nil
}

func (t *target) close() {
	_ = t.server.Close()
	if err := <-t.served; err != nil && !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintln(os.Stderr, "bench: serving:", err)
	}
	if t.store != nil {
		if err := t.store.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
		_ = os.RemoveAll(t.dir)
	}
}
