// Package contract_test holds client and emulator against one contract. Both were written from Concur's
// pages and know nothing of each other: here the published exchanges of internal/ess/testdata/contract are
// sent to the emulator over HTTPS, and the client meets every answer that the emulator can give.
package contract_test

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

const (
	ourApp, otherApp = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
	secret           = "4f6b7c1e-0d3a-4a55-9a0e-c2f1f2b7a9d8"
	reports          = "public.concur.expense.report"
	endpoint         = "https://events.example.net/concur"
)

// bench is an emulator behind HTTPS.
type bench struct {
	*essemulator.Emulator
	server *httptest.Server
}

// newBench starts an emulator with two applications, under assumptions that differ from the defaults by change.
func newBench(t *testing.T, change func(*essemulator.Assumptions)) *bench {
	t.Helper()
	assume := essemulator.DefaultAssumptions()
	if change != nil {
		change(&assume)
	}
	emulator, err := essemulator.New(essemulator.WithAssumptions(assume))
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{Emulator: emulator, server: httptest.NewTLSServer(emulator.Handler())}
	t.Cleanup(func() {
		b.ClearFaults()
		b.server.CloseClientConnections()
		b.server.Close()
	})
	for _, id := range []string{ourApp, otherApp} {
		b.PutApplication(application(id, "events.topic.read", "expense.report.read"))
	}
	return b
}

func application(id string, scopes ...string) essemulator.Application {
	return essemulator.Application{ID: id, Secrets: []string{secret}, Scopes: scopes}
}

// patience is for what must come. It says nothing of how fast that is, and is far
// beyond what the slowest machine takes.
const patience = 3 * time.Minute

// unhurried is the client's own transport with its bounds out of the way: on a busy machine, a handshake of
// a test that runs beside many others may take longer than one over the internet.
func unhurried(t *testing.T, roots *x509.CertPool) *http.Transport {
	t.Helper()
	transport := ess.NewTransport(roots)
	transport.TLSHandshakeTimeout, transport.ResponseHeaderTimeout = patience, patience
	transport.HTTP2.SendPingTimeout, transport.HTTP2.PingTimeout = patience, patience
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// client speaks for ourApp, with a configuration that differs by changes.
func (b *bench) client(t *testing.T, changes ...func(*ess.Config)) *ess.Client {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(b.server.Certificate())
	cfg := ess.Config{BaseURL: b.server.URL, ClientID: ourApp, ClientSecret: secret, Transport: unhurried(t, roots), Timeout: patience}
	for _, change := range changes {
		change(&cfg)
	}
	client, err := ess.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// held is a subscription that exists under an application.
func held(id, app string) essemulator.Subscription {
	return essemulator.Subscription{ID: id, ApplicationID: app, Topic: reports, Filter: ".*", Endpoint: endpoint}
}

// wanted is a subscription to put.
func wanted(id string) ess.Subscription {
	return ess.Subscription{ID: id, Topic: reports, Filter: ".*", Endpoint: endpoint}
}
