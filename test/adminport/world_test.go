package adminport_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/ess-operator/ess-operator/controllers"
	"github.com/ess-operator/ess-operator/controllers/statistics"
	"github.com/ess-operator/ess-operator/test/jitter"
	"github.com/ess-operator/ess-operator/test/loopback"
)

const (
	// patience is for what must come. It says nothing of how fast that is, and is far beyond what the slowest
	// machine takes.
	patience = 3 * time.Minute
	glance   = 50 * time.Millisecond
)

// config is that of config/receiver as far as the admin port goes. No event arrives here.
const config = `publicURL: http://127.0.0.1
events: {listen: "127.0.0.1:0"}
admin:
  listen: "%s"
  tls: {certFile: mounted/tls.crt, keyFile: mounted/tls.key}
  tokenFile: mounted/token
journal: {bbolt: {path: journal.db, maxSize: 64Mi}}
`

// world is the receiver and the folder that it reads.
type world struct {
	*gomega.WithT
	t      *testing.T
	dir    string
	port   string // host:port of the admin port
	clock  *clocktesting.FakePassiveClock
	tokens []string // that the receiver has ever had
	mount  int      // how often the Secret was mounted
	// failed are the results of polls before the receiver was there.
	failed map[string]int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	port, err := loopback.Address()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{WithT: gomega.NewWithT(t), t: t, dir: t.TempDir(), port: port, clock: clocktesting.NewFakePassiveClock(time.Now())}
	w.SetDefaultEventuallyTimeout(patience)
	w.SetDefaultEventuallyPollingInterval(glance)
	for name, text := range map[string]string{"config.yaml": fmt.Sprintf(config, w.port), "routes.yaml": "subscriptions: []\n"} {
		w.Expect(os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600)).To(gomega.Succeed())
	}
	return w
}

// secret is what the Secret holds.
func (w *world) secret() map[string][]byte {
	w.t.Helper()
	var secret corev1.Secret
	w.Expect(suite.client.Get(w.t.Context(), adminSecret, &secret)).To(gomega.Succeed())
	return secret.Data
}

// write changes keys of the Secret as a person does, with one patch.
func (w *world) write(data map[string][]byte) {
	w.t.Helper()
	var secret corev1.Secret
	w.Expect(suite.client.Get(w.t.Context(), adminSecret, &secret)).To(gomega.Succeed())
	before := secret.DeepCopy()
	for key, value := range data {
		secret.Data[key] = value
	}
	w.Expect(suite.client.Patch(w.t.Context(), &secret, client.MergeFrom(before))).To(gomega.Succeed())
}

// bring mounts what the Secret holds now: a new folder, and a link that is moved onto it, as a kubelet does.
func (w *world) bring() {
	w.t.Helper()
	w.mount++
	folder, link := fmt.Sprintf("mounted-%d", w.mount), filepath.Join(w.dir, "mounted")
	w.Expect(os.Mkdir(filepath.Join(w.dir, folder), 0o700)).To(gomega.Succeed())
	data := w.secret()
	w.tokens = append(w.tokens, strings.Fields(string(data["token"]))...)
	for _, key := range []string{"token", "tls.crt", "tls.key"} { // the items of the volume in config/receiver
		w.Expect(data[key]).NotTo(gomega.BeEmpty(), key)
		w.Expect(os.WriteFile(filepath.Join(w.dir, folder, key), data[key], 0o600)).To(gomega.Succeed())
	}
	w.Expect(os.Symlink(folder, link+".new")).To(gomega.Succeed())
	w.Expect(os.Rename(link+".new", link)).To(gomega.Succeed())
}

// startReceiver starts the program, and waits until the operator has got an answer.
func (w *world) startReceiver() {
	w.t.Helper()
	var log strings.Builder
	program := exec.Command(suite.program, "--config", "config.yaml", "--routes", "routes.yaml")
	program.Dir, program.Stdout, program.Stderr = w.dir, &log, &log
	w.Expect(program.Start()).To(gomega.Succeed())
	w.t.Cleanup(func() {
		_ = program.Process.Kill() // it may have ended
		_ = program.Wait()
		if w.t.Failed() {
			w.t.Log("log of the receiver:\n", log.String())
		}
		if slices.ContainsFunc(w.tokens, func(token string) bool { return strings.Contains(log.String(), token) }) {
			w.t.Error("the receiver's log holds a token")
		}
	})
	w.Eventually(func() int { return polls()["ok"] }).Should(gomega.BeNumerically(">", 0))
	w.failed = polls()
}

// startOperator starts the controllers as the service account of the manifests, and waits until they have filled the Secret.
func (w *world) startOperator() {
	w.t.Helper()
	config := rest.CopyConfig(suite.plane.Config)
	config.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:" + systemNamespace + ":ess-operator-manager",
		Groups:   []string{"system:serviceaccounts", "system:authenticated"},
	}
	late, err := jitter.FromEnvironment()
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.t.Log(late)
	config.Wrap(late.Wrap)
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: suite.scheme, Cache: controllers.CacheOptions(), Client: controllers.ClientOptions(),
		Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
	})
	w.Expect(err).NotTo(gomega.HaveOccurred())
	ctx, cancel := context.WithCancel(context.Background())
	w.Expect(controllers.Setup(ctx, mgr, controllers.Options{
		ReceiverURL: "https://events.example.com", ReceiverAdmin: statistics.Receiver{URL: "https://" + w.port},
		AdminSecret: adminSecret, StatisticsInterval: 4 * glance, Clock: w.clock,
	})).To(gomega.Succeed())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
	w.Eventually(w.secret).Should(gomega.HaveKey("tls.crt"))
}

// served is the certificate that the receiver shows.
func (w *world) served() (*x509.Certificate, error) {
	conn, err := tls.Dial("tcp", w.port, &tls.Config{InsecureSkipVerify: true}) // which one it is, is the question
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	return conn.ConnectionState().PeerCertificates[0], nil
}

// expectServed waits until the receiver shows a certificate in PEM.
func (w *world) expectServed(certificate []byte) {
	w.t.Helper()
	block, _ := pem.Decode(certificate)
	w.Expect(block).NotTo(gomega.BeNil())
	w.Eventually(func() ([]byte, error) {
		shown, err := w.served()
		if err != nil {
			return nil, err
		}
		return shown.Raw, nil
	}).Should(gomega.Equal(block.Bytes))
}

// status is how the receiver answers a caller with a token, who trusts what the Secret says.
func (w *world) status(token string) func() (int, error) {
	return func() (int, error) {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(w.secret()["ca.crt"])
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}
		request, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, "https://"+w.port+"/v1/statistics", nil)
		if err != nil {
			return 0, err
		}
		request.Header.Set("Authorization", "Bearer "+token)
		answer, err := (&http.Client{Transport: transport, Timeout: patience}).Do(request)
		if err != nil {
			return 0, err
		}
		return answer.StatusCode, answer.Body.Close()
	}
}

// eventuallyKnown waits until the operator has read the certificate that the Secret holds, and with it whom to trust. The
// kubelet takes longer than that to bring the Secret.
func (w *world) eventuallyKnown() {
	w.t.Helper()
	block, _ := pem.Decode(w.secret()["tls.crt"])
	w.Expect(block).NotTo(gomega.BeNil())
	certificate, err := x509.ParseCertificate(block.Bytes)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.Eventually(knownExpiry).Should(gomega.Equal(certificate.NotAfter.Unix()))
}

// knownExpiry is when the certificate expires that the operator knows, in seconds since 1970.
func knownExpiry() int64 {
	return int64(metric("ess_operator_admin_certificate_expiry_timestamp_seconds")[""])
}

// polls are how often the operator has asked the receiver, by result.
func polls() map[string]int {
	counts := map[string]int{}
	for result, count := range metric("ess_operator_receiver_polls_total") {
		counts[result] = int(count)
	}
	return counts
}

// metric is a metric of this process by the value of its only label, if it has one.
func metric(name string) map[string]float64 {
	families, err := metrics.Registry.Gather()
	if err != nil {
		panic(err)
	}
	values := map[string]float64{}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			label := ""
			for _, pair := range m.GetLabel() {
				label = pair.GetValue()
			}
			values[label] = m.GetCounter().GetValue() + m.GetGauge().GetValue() // it has one of the two
		}
	}
	return values
}

// goesOn waits until the operator has asked some more times, and holds that it met nothing but answers.
func (w *world) goesOn(when string) {
	w.t.Helper()
	before := polls()["ok"]
	w.Eventually(func() int { return polls()["ok"] - before }).Should(gomega.BeNumerically(">=", 3), when)
	now := polls()
	w.failed["ok"] = now["ok"]
	w.Expect(now).To(gomega.Equal(w.failed), when)
}
