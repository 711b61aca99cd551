package app_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

const (
	notify = "/concur/v1.0/notify"
	tests  = "/system/v1.0/testconnection"
	login  = "concur-reports:correct horse"
)

// connector returns the entry of a connector whose notifications go to the sink.
func (b *bench) connector(logins ...string) string {
	var credentials []string
	for _, l := range logins {
		username, password, _ := strings.Cut(l, ":")
		credentials = append(credentials, fmt.Sprintf("{username: %q, password: %q}", username, password))
	}
	return fmt.Sprintf("- {namespace: finance, name: legacy, credentials: [%s], sink: {uri: '%s'}, delivery: {backoffDelay: PT0.02S, ordering: PerKey}}\n",
		strings.Join(credentials, ", "), b.sink.server.URL)
}

func (b *bench) connectors(entries ...string) {
	b.Helper()
	b.write("routes.yaml", "subscriptions:\n"+b.route("reports")+"connectors:\n"+strings.Join(entries, ""))
}

// call sends what Concur's callout would.
func (b *bench) call(r *receiver, method, path, login, body string) int {
	b.Helper()
	request, err := http.NewRequestWithContext(context.WithoutCancel(b.Context()), method, "http://"+r.events+path, strings.NewReader(body))
	b.Expect(err).NotTo(HaveOccurred())
	username, password, _ := strings.Cut(login, ":")
	request.SetBasicAuth(username, password)
	request.Header.Set("Content-Type", "application/xml")
	status, _ := answer(http.DefaultClient, request)
	return status
}

func notification(uri string) string {
	return "<Notification>\n  <EventType>Report Entered Expense Report Workflow Step - SUBMIT</EventType>\n  <ObjectType>EXPRPT</ObjectType>\n" +
		"  <ObjectURI>" + uri + "</ObjectURI>\n  <EventDateTime>2026-11-22</EventDateTime>\n  <Context/>\n</Notification>"
}

func hashOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

func TestCalloutReachesItsSink(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.write("config.yaml", "publicURL: https://events.example.com\n"+b.read("config.yaml"))
	b.connectors(b.connector(login))
	r := b.ready()
	body := notification("https://us.example.com/report/3%Rek29$")
	b.Expect(b.call(r, http.MethodPost, notify, login, body)).To(Equal(http.StatusOK))
	b.Expect(b.call(r, http.MethodPost, notify, login, body)).To(Equal(http.StatusOK), "a repetition")
	b.Eventually(func() int { return b.sink.arrivals(hashOf(body)) }).Should(Equal(1))
	got := b.sink.first(hashOf(body))
	b.Expect(got.body).To(MatchJSON(`{"eventType": "Report Entered Expense Report Workflow Step - SUBMIT", "objectType": "EXPRPT",
		"objectURI": "https://us.example.com/report/3%Rek29$", "eventDateTime": "2026-11-22", "context": null}`))
	for name, want := range map[string]string{
		"Ce-Type": "com.concur.notification.EXPRPT", "Ce-Source": "https://events.example.com/connectors/finance/legacy",
		"Ce-Time": "2026-11-22T00:00:00Z", "Content-Type": "application/json", "Authorization": "",
	} {
		b.Expect(got.header.Get(name)).To(Equal(want), name)
	}
	_, xml := b.ask("http://"+r.admin+"/v1/events/1/data", adminToken)
	b.Expect(xml).To(Equal(body), "the store keeps what came")
	for result, want := range map[string]string{"accepted": "1", "duplicate": "1"} {
		b.Expect(b.metric(r, `ess_receiver_received_total{kind="connector",name="legacy",namespace="finance",result="`+result+`"}`)).To(Equal(want), result)
	}
	b.Expect(b.post(r, "e1")).To(Equal(http.StatusOK), "events of ESS come in beside")
}

// stats is what these tests read of the statistics.
type stats struct {
	Routes []struct {
		Route              struct{ Kind, Name string }
		LastTestConnection string
		Quarantined        int
		Refusals           *struct{ Count int }
	}
}

func (b *bench) stats(r *receiver) (s stats) {
	b.Helper()
	_, text := b.ask("http://"+r.admin+"/v1/statistics", adminToken)
	b.Expect(json.Unmarshal([]byte(text), &s)).To(Succeed())
	return s
}

func TestConnectorIsTestedRotatedAndRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.connectors(b.connector(login))
	r := b.ready()
	const fresh = "concur-reports:battery staple"
	b.Expect(b.call(r, http.MethodGet, tests, fresh, "")).To(Equal(http.StatusUnauthorized))
	b.Expect(b.call(r, http.MethodPost, notify, fresh, notification("a"))).To(Equal(http.StatusUnauthorized))
	before := b.stats(r).Routes
	b.Expect(before).To(HaveLen(1))
	b.Expect(before[0].LastTestConnection).To(BeEmpty())
	b.Expect(before[0].Refusals.Count).To(Equal(1))
	b.connectors(b.connector(login, fresh))
	b.Eventually(func() int { return b.call(r, http.MethodGet, tests, fresh, "") }).Should(Equal(http.StatusOK))
	b.Expect(b.call(r, http.MethodPost, notify, fresh, notification("a"))).To(Equal(http.StatusOK))
	b.Expect(b.call(r, http.MethodPost, notify, login, notification("b"))).To(Equal(http.StatusOK), "both hold during a rotation")
	b.Expect(b.call(r, http.MethodPost, notify, fresh, "no XML")).To(Equal(http.StatusOK), "it goes into quarantine")
	after := b.stats(r).Routes
	b.Expect(after).To(HaveLen(1))
	b.Expect(after[0].LastTestConnection).NotTo(BeEmpty())
	b.Expect(after[0].Quarantined).To(Equal(1))
	b.Expect(after[0].Refusals).To(BeNil())
	b.connectors(b.connector(fresh))
	b.Eventually(func() int { return b.call(r, http.MethodGet, tests, login, "") }).Should(Equal(http.StatusUnauthorized))
	b.Expect(b.log.String()).NotTo(Or(ContainSubstring("horse"), ContainSubstring("staple")))
	b.Expect(b.log.String()).To(ContainSubstring("no publicURL"), "people are told what is amiss")
}

func TestCertificateThatCalloutsMayNotTake(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.writeCertificate("not of RSA")
	b.configure(", tls: {certFile: tls.crt, keyFile: tls.key}")
	b.ready()
	b.Expect(b.log.String()).NotTo(ContainSubstring("no RSA key"), "without connectors nobody needs one")
	b.connectors(b.connector(login))
	b.Eventually(b.log.String).Should(ContainSubstring("no RSA key"))
}

func TestCalloutsBeforeThereIsARoutesFile(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.remove("routes.yaml")
	r := b.start()
	b.Eventually(func() int { return b.call(r, http.MethodPost, notify, login, notification("early")) }).
		Should(Equal(http.StatusServiceUnavailable), "404 might lose it")
	b.Expect(b.call(r, http.MethodGet, tests, login, "")).To(Equal(http.StatusServiceUnavailable))
	b.connectors(b.connector(login))
	b.Eventually(func() int { return b.call(r, http.MethodPost, notify, login, notification("early")) }).Should(Equal(http.StatusOK))
	b.Expect(b.call(r, http.MethodPost, "/concur/v1.0/other", login, notification("early"))).To(Equal(http.StatusNotFound))
}
