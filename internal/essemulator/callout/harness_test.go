package callout_test

import (
	"context"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ess-operator/ess-operator/internal/essemulator/callout"
)

const (
	userName, password = "concur-callouts", "correct horse battery"
	company            = "aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa"
)

// arrival is one call as a connector sees it.
type arrival struct {
	Method, Path, Body string
	Header             http.Header
}

// bench is a Service with one connector, under a fake clock.
type bench struct {
	t       *testing.T
	service *callout.Service
	clock   *clocktesting.FakeClock
	srv     *httptest.Server

	mu       sync.Mutex
	arrivals []arrival
	answer   http.HandlerFunc
}

// newBench starts a connector that answers posts with answer (nil is 200) and registers it, not yet tested, as
// "reports". change changes the assumptions.
func newBench(t *testing.T, answer http.HandlerFunc, change func(*callout.Assumptions)) *bench {
	t.Helper()
	b := &bench{t: t, answer: answer, clock: clocktesting.NewFakeClock(time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC))}
	b.srv = httptest.NewUnstartedServer(b)
	b.srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	b.srv.StartTLS()
	t.Cleanup(b.srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(b.srv.Certificate())
	b.service = callout.New(callout.Config{Clock: b.clock, Roots: roots})
	assume := callout.DefaultAssumptions()
	if change != nil {
		change(&assume)
	}
	if err := b.service.SetAssumptions(assume); err != nil {
		t.Fatal(err)
	}
	b.put(b.connector("reports"))
	return b
}

// connector is one that leads to the bench's server.
func (b *bench) connector(name string) callout.Connector {
	return callout.Connector{
		Name: name, CompanyID: company, Host: b.srv.URL, Path: "/concur/v1.0/notify",
		UserName: userName, Password: password, Enabled: true,
	}
}

func (b *bench) put(c callout.Connector) {
	b.t.Helper()
	if err := b.service.PutConnector(c); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	b.arrivals = append(b.arrivals, arrival{r.Method, r.URL.Path, string(body), r.Header.Clone()})
	b.mu.Unlock()
	if b.answer != nil && r.Method == http.MethodPost {
		b.answer(w, r)
	}
}

// got are the posts so far.
func (b *bench) got() (posts []arrival) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.arrivals {
		if a.Method == http.MethodPost {
			posts = append(posts, a)
		}
	}
	return posts
}

// run tests the connection, which must succeed, and starts the engine for the length of the test.
func (b *bench) run() {
	b.t.Helper()
	for _, c := range b.service.Connectors() {
		try, err := b.service.TestConnection(b.t.Context(), c.Name)
		if err != nil || try.Status != http.StatusOK {
			b.t.Fatalf("Test Connection of %s: %+v, %v", c.Name, try, err)
		}
	}
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.service.Run(ctx)
	}()
	b.t.Cleanup(func() { cancel(); <-done })
}

// publish publishes notifications with these contexts, and expects that each goes into one queue.
func (b *bench) publish(contexts ...string) {
	b.t.Helper()
	for _, text := range contexts {
		n, err := b.service.Publish(callout.Target{CompanyID: company}, report(text))
		if err != nil || n != 1 {
			b.t.Fatalf("Publish = %d, %v; want 1 callout", n, err)
		}
	}
}

// report is a notification as in Concur's sample.
func report(context string) callout.Notification {
	return callout.Notification{
		EventType: "Report Entered Expense Report Workflow Step - SUBMIT", ObjectType: "EXPRPT",
		ObjectURI: "https://www.concursolutions.com/api/expense/expensereport/v1.1/reportfulldetails/" +
			"3%Rek29$wsIY12Di3LS9$gjei%KL23",
		EventTime: time.Date(2012, 5, 1, 0, 0, 0, 0, time.UTC), Context: context,
	}
}

func (b *bench) settle() {
	b.t.Helper()
	if err := b.service.Settle(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

// step pushes the clock and lets happen what falls due.
func (b *bench) step(d time.Duration) {
	b.t.Helper()
	b.clock.Step(d)
	b.settle()
}

// outcomes are the outcomes in the order of publication.
func (b *bench) outcomes() (out []callout.Outcome) {
	for _, c := range b.service.Ledger() {
		out = append(out, c.Outcome)
	}
	return out
}

// printed reads a message as Concur's pages print it.
func printed(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
