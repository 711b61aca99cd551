package receiver_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"github.com/ess-operator/ess-operator/internal/essemulator"
	"github.com/ess-operator/ess-operator/test/loopback"
)

const (
	// patience is for what must come. It says nothing of how fast that is, and is far beyond what the slowest
	// machine takes.
	patience = 3 * time.Minute
	glance   = 10 * time.Millisecond

	adminToken = "7c0c1f53b1d14c4ca7f9c0ffee5e11a9"
	dataCenter = "https://us2.api.concursolutions.com"
	company    = "e6a1f1c4-8c8a-4f35-9c52-6d52f6a7a001"
)

// world is a Concur, a sink, and a folder with the files of one receiver between them.
type world struct {
	*gomega.WithT
	t             *testing.T
	dir           string
	events, port  string // addresses of the receiver
	ess           *essemulator.Emulator
	sink          *sink
	subscriptions []string
}

// newWorld makes all but the receiver's process. Each subscription is a topic of its own, and a route to the sink.
func newWorld(t *testing.T, subscriptions []string, changes ...func(*essemulator.Assumptions)) *world {
	t.Helper()
	w := &world{
		WithT: gomega.NewWithT(t), t: t, dir: t.TempDir(), events: freeAddress(t), port: freeAddress(t),
		sink: newSink(t), subscriptions: subscriptions,
	}
	w.SetDefaultEventuallyTimeout(patience)
	w.SetDefaultEventuallyPollingInterval(glance)
	assume := essemulator.DefaultAssumptions()
	assume.BackoffInitial, assume.BackoffMax = 20*time.Millisecond, 200*time.Millisecond
	for _, change := range changes {
		change(&assume)
	}
	emulator, err := essemulator.New(essemulator.WithAssumptions(assume))
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.ess = emulator
	for _, id := range subscriptions {
		emulator.PutSubscription(essemulator.Subscription{
			ID: id, ApplicationID: "app", Topic: topicOf(id), Filter: ".*", Endpoint: w.url(id), CompanyIDs: []string{company},
		})
	}
	w.files()
	w.deliver()
	return w
}

// deliver runs the emulator's delivery engine to the end of the test.
func (w *world) deliver() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.ess.Run(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("running the emulator: %v", err)
		}
	})
}

func topicOf(id string) string { return "topic-of-" + id }

func (w *world) url(name string) string { return "https://" + w.events + "/events/finance/" + name }

// source is the CloudEvents source of a subscription's events.
func source(id string) string { return dataCenter + "/events/v4/subscriptions/" + id }

// publish makes an event happen in one subscription.
func (w *world) publish(id string, body []byte) {
	w.t.Helper()
	n, err := w.ess.Publish(essemulator.Event{Topic: topicOf(id), CompanyID: company, Type: "any", Body: body})
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.Expect(n).To(gomega.Equal(1), "deliveries of one event")
}

// files writes all that the receiver reads.
func (w *world) files() {
	w.t.Helper()
	keys := w.ess.Keys()
	host, _, err := net.SplitHostPort(w.events)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	server, err := keys.ServerCertificate(host)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	cert, key, err := essemulator.CertificatePEM(server)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.write("tls.crt", string(cert))
	w.write("tls.key", string(key))
	w.write("ca.pem", string(keys.CAPEM()))
	w.write("concur.pem", string(keys.SigningKeyPEM()))
	w.write("admin-token", adminToken+"\n")
	w.write("config.yaml", fmt.Sprintf(`publicURL: https://%[1]s
events: {listen: "%[1]s", tls: {certFile: tls.crt, keyFile: tls.key}, drainQuietPeriod: 200ms}
admin: {listen: "%[2]s", tokenFile: admin-token}
proof:
  require: any
  clientCertificate: {caFile: ca.pem, names: [webhook.api.concursolutions.com]}
  signature: {publicKeyFiles: [concur.pem]}
sinks: {denyCIDRs: []}
journal: {bbolt: {path: journal.db, maxSize: 1Gi}}
`, w.events, w.port))
	w.routes(w.subscriptions, `delivery: {backoffPolicy: linear, backoffDelay: PT0.05S, timeout: PT5S}`)
}

// routes writes the routes file.
func (w *world) routes(ids []string, more string) {
	w.t.Helper()
	var text strings.Builder
	text.WriteString("subscriptions:\n")
	for _, id := range ids {
		fmt.Fprintf(&text, "- {namespace: finance, name: %q, subscriptionID: %q, source: %q, sink: {uri: %q}, %s}\n",
			id, id, dataCenter, w.sink.URL, more)
	}
	w.write("routes.yaml", text.String())
}

// write replaces a file at once, as kubelet does.
func (w *world) write(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	w.Expect(os.WriteFile(path+".new", []byte(text), 0o600)).To(gomega.Succeed())
	w.Expect(os.Rename(path+".new", path)).To(gomega.Succeed())
}

// admin calls the admin port and decodes a JSON answer into result, unless that is nil.
func (w *world) admin(method, path string, result any) (status int) {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), method, "http://"+w.port+path, nil)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	request.Header.Set("Authorization", "Bearer "+adminToken)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0
	}
	if result != nil {
		if err := json.Unmarshal(body, result); err != nil {
			w.t.Fatalf("reading the answer of %s %s: %v\n%s", method, path, err, body)
		}
	}
	return answer.StatusCode
}

// delivered waits until the emulator has no delivery left, and fails if it lost one.
func (w *world) delivered(count int) {
	w.t.Helper()
	w.Eventually(func() map[essemulator.Outcome]int {
		outcomes := map[essemulator.Outcome]int{}
		for _, d := range w.ess.Ledger() {
			outcomes[d.Outcome]++
		}
		return outcomes
	}).Should(gomega.Equal(map[essemulator.Outcome]int{essemulator.Delivered: count}), "what became of the deliveries")
}

func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := loopback.Address()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// idOf is the CloudEvents id of a body.
func idOf(body []byte) string {
	var fields struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(body, &fields); err == nil && fields.ID != "" {
		return fields.ID
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
