package essemulator_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// receipt is one delivery as an endpoint sees it.
type receipt struct {
	Header http.Header
	Body   string
	Chain  []*x509.Certificate
}

// endpoint is a subscriber: HTTPS with a certificate of the emulator's CA, asking for a client certificate.
type endpoint struct {
	*httptest.Server
	mu       sync.Mutex
	receipts []receipt
	answer   http.HandlerFunc
}

// newEndpoint starts an endpoint that answers with answer; nil is 200.
func newEndpoint(t *testing.T, emu *essemulator.Emulator, answer http.HandlerFunc) *endpoint {
	t.Helper()
	cert, err := emu.Keys().ServerCertificate("127.0.0.1", "localhost")
	if err != nil {
		t.Fatal(err)
	}
	ep := &endpoint{answer: answer}
	ep.Server = httptest.NewUnstartedServer(ep)
	ep.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequestClientCert}
	ep.Config.ErrorLog = log.New(io.Discard, "", 0)
	ep.StartTLS()
	t.Cleanup(ep.Close)
	return ep
}

func (ep *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ep.mu.Lock()
	ep.receipts = append(ep.receipts, receipt{r.Header.Clone(), string(body), r.TLS.PeerCertificates})
	ep.mu.Unlock()
	if ep.answer != nil {
		ep.answer(w, r)
	}
}

func (ep *endpoint) got() []receipt {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	return append([]receipt{}, ep.receipts...)
}

// run starts the delivery engine for the length of the test.
func (b *bench) run() {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan error, 1)
	go func() { done <- b.emu.Run(ctx) }()
	b.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Errorf("Run returned %v, want nil", err)
		}
	})
}

// deliverTo subscribes an endpoint, connects a company and starts the engine.
func (b *bench) deliverTo(ep *endpoint) {
	b.t.Helper()
	b.subscribe("acme.reports", ep.URL+"/hook")
	if err := b.emu.ConnectCompany(appA, companyA); err != nil {
		b.t.Fatal(err)
	}
	b.run()
}

// publish publishes an event and waits until nothing more happens at this time of the clock.
func (b *bench) publish(ev essemulator.Event) {
	b.t.Helper()
	n, err := b.emu.Publish(ev)
	if err != nil || n != 1 {
		b.t.Fatalf("Publish = %d, %v; want 1 delivery", n, err)
	}
	b.settle()
}

func (b *bench) settle() {
	b.t.Helper()
	if err := b.emu.Settle(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

// report is an event of the expense report topic in companyA.
func report(body string) essemulator.Event {
	return essemulator.Event{Topic: reports, CompanyID: companyA, Type: "statusChanged", Body: []byte(body)}
}

// outcomes are the outcome and attempted statuses of the only delivery.
func (b *bench) only() essemulator.Delivery {
	b.t.Helper()
	ledger := b.emu.Ledger()
	if len(ledger) != 1 {
		b.t.Fatalf("ledger has %d deliveries, want 1", len(ledger))
	}
	return ledger[0]
}

// answering answers 200 while ok holds true, and 503 while it holds false.
func answering(ok chan bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		fine := <-ok
		ok <- fine
		if !fine {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
}
