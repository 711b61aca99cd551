package app_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/app"
)

const (
	adminToken = "a-token-of-the-tests"
	// patience is for what must come. It says nothing of how fast that is, and is far beyond what the slowest
	// machine takes.
	patience = 3 * time.Minute
	poll     = 10 * time.Millisecond
	route    = "/events/finance/reports"
)

// bench is the folder of a receiver, its sink, and one receiver at a time.
type bench struct {
	*testing.T
	*WithT
	dir  string
	sink *sink
	log  *logbook
}

// receiver is one that runs.
type receiver struct {
	events, admin string // addresses
	stop          func() error
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{T: t, WithT: NewWithT(t), dir: t.TempDir(), sink: newSink(t), log: &logbook{}}
	b.SetDefaultEventuallyTimeout(patience)
	b.SetDefaultEventuallyPollingInterval(poll)
	b.write("concur.pem", string(publicPEM(b.T, signingKey())))
	b.write("admin-token", adminToken+"\n")
	b.configure("")
	b.routes(b.route("reports"))
	b.Cleanup(func() {
		if b.Failed() {
			b.Log(b.log.String())
		}
	})
	return b
}

// configure writes the configuration; events holds further keys of that block, such as ", tls: {…}".
func (b *bench) configure(events string) {
	b.Helper()
	b.write("config.yaml", `
events: {listen: "127.0.0.1:0", drainQuietPeriod: 100ms`+events+`}
admin: {listen: "127.0.0.1:0", tokenFile: admin-token}
proof: {signature: {publicKeyFiles: [concur.pem]}}
sinks: {denyCIDRs: []}
journal: {bbolt: {path: journal.db, maxSize: 64Mi}}
`)
}

// route returns an entry of the routes file.
func (b *bench) route(name string) string {
	return fmt.Sprintf("- {namespace: finance, name: %s, source: 'https://us.example.com', sink: {uri: '%s'}, delivery: {backoffDelay: PT0.02S}}\n",
		name, b.sink.server.URL)
}

func (b *bench) routes(entries ...string) {
	b.Helper()
	if len(entries) == 0 {
		b.write("routes.yaml", "subscriptions: []\n")
		return
	}
	b.write("routes.yaml", "subscriptions:\n"+strings.Join(entries, ""))
}

// write exchanges a file as a whole.
func (b *bench) write(name, content string) {
	b.Helper()
	path := filepath.Join(b.dir, name)
	if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
		b.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		b.Fatal(err)
	}
}

// start starts a receiver. It is stopped at the end of the test, if it has not been.
func (b *bench) start() *receiver {
	b.Helper()
	events, admin := b.listen(), b.listen()
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	ended := make(chan error, 1)
	go func() {
		ended <- app.Run(ctx, app.Options{
			ConfigPath: filepath.Join(b.dir, "config.yaml"), RoutesPath: filepath.Join(b.dir, "routes.yaml"),
			Logger: slog.New(slog.NewTextHandler(b.log, nil)), Version: "v0.0.0-test", PollInterval: poll,
			EventsListener: events, AdminListener: admin,
		})
	}()
	r := &receiver{events: events.Addr().String(), admin: admin.Addr().String()}
	r.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	b.Cleanup(func() {
		if err := r.stop(); err != nil {
			b.Errorf("the receiver ended with: %v", err)
		}
	})
	return r
}

// ready starts a receiver and waits until it takes events.
func (b *bench) ready() *receiver {
	b.Helper()
	r := b.start()
	b.Eventually(func() int { return b.status("http://" + r.admin + "/readyz") }).Should(Equal(http.StatusOK))
	return r
}

func (b *bench) listen() net.Listener {
	b.Helper()
	listener, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	return listener
}

// status asks with the usual token.
func (b *bench) status(url string) int {
	status, _ := b.ask(url, adminToken)
	return status
}

// ask returns the status and the body of an answer; zero: there was none.
func (b *bench) ask(url, token string) (int, string) {
	request, err := http.NewRequestWithContext(context.WithoutCancel(b.Context()), http.MethodGet, url, nil)
	if err != nil {
		return 0, err.Error()
	}
	request.Header.Set("Authorization", "Bearer "+token)
	return answer(http.DefaultClient, request)
}

func answer(client *http.Client, request *http.Request) (int, string) {
	response, err := client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(body)
}

// metric returns the value of a series of /metrics, as it is written there; empty: there is none.
func (b *bench) metric(r *receiver, series string) string {
	_, text := b.ask("http://"+r.admin+"/metrics", adminToken)
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// delivery is a request as Concur makes it, signed.
func delivery(ctx context.Context, url, body string, key *rsa.PrivateKey) (*http.Request, error) {
	digest := sha256.Sum256([]byte(body))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Concur-Signature", base64.StdEncoding.EncodeToString(signature))
	return request, nil
}

// post delivers an event with an id to the usual route, and returns the status.
func (b *bench) post(r *receiver, id string) int {
	b.Helper()
	return b.postTo("http://"+r.events+route, eventBody(id), signingKey())
}

func (b *bench) postTo(url, body string, key *rsa.PrivateKey) int {
	b.Helper()
	request, err := delivery(b.Context(), url, body, key)
	if err != nil {
		b.Fatal(err)
	}
	status, _ := answer(http.DefaultClient, request)
	return status
}

func eventBody(id string) string {
	return `{"id":"` + id + `","correlationId":"c","eventType":"reportCreated","topic":"public.concur.expense.report",` +
		`"timeStamp":"2026-11-22T00:00:00.000Z","facts":{"reportId":"R1","companyId":"C1"}}`
}

// Keys take long to make.
var (
	signingKey = sync.OnceValue(newKey)
	otherKey   = sync.OnceValue(newKey)
)

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

func publicPEM(t *testing.T, key *rsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// logbook keeps what receivers log.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
