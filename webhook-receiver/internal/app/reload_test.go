package app_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

func TestRouteThatIsNotKnownYet(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.ready()
	url := "http://" + r.events + "/events/finance/later"
	b.Expect(b.postTo(url, eventBody("l1"), signingKey())).To(Equal(http.StatusServiceUnavailable), "404 would lose the event")
	b.routes(b.route("reports"), b.route("later"))
	b.Eventually(func() int { return b.postTo(url, eventBody("l1"), signingKey()) }).Should(Equal(http.StatusOK))
	b.Eventually(func() int { return b.sink.arrivals("l1") }).Should(Equal(1))
}

func TestBadRoutesFileIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.ready()
	refused := `ess_receiver_reload_refused{file="routes"}`
	b.Expect(b.metric(r, refused)).To(Equal("0"))
	b.write("routes.yaml", "subscriptions: []\nsubscription: []\n")
	b.Eventually(func() string { return b.metric(r, refused) }).Should(Equal("1"))
	b.Expect(b.post(r, "old")).To(Equal(http.StatusOK), "the old routes must stay in force")
	b.Eventually(func() string { _, routes := b.ask("http://"+r.admin+"/v1/routes", adminToken); return routes }).
		Should(ContainSubstring("no such key"), "the admin API must say what is wrong")
	b.routes(b.route("reports"))
	b.Eventually(func() string { return b.metric(r, refused) }).Should(Equal("0"))
}

// TestEmptiedRoutesFileIsRefused is about a file that was cut off, or a Secret that somebody replaced by an empty one: with no
// routes, a callout would be answered 404, after which Concur need not try again.
func TestEmptiedRoutesFileIsRefused(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"Empty": "", "Comment": "# routes\n", "Null": "subscriptions:\nconnectors: ~\n", "NoKeys": "{}\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.connectors(b.connector(login))
			r := b.ready()
			b.write("routes.yaml", content)
			b.Eventually(func() string { return b.metric(r, `ess_receiver_reload_refused{file="routes"}`) }).Should(Equal("1"))
			b.Expect(b.call(r, http.MethodPost, notify, login, notification("a"))).To(Equal(http.StatusOK), "the old routes must stay in force")
			b.Expect(b.post(r, "old")).To(Equal(http.StatusOK))
			b.write("routes.yaml", "subscriptions: []\n")
			b.Eventually(func() int { return b.post(r, "new") }).Should(Equal(http.StatusServiceUnavailable), "who means it can say so")
		})
	}
}

func TestStartWithoutRoutesFile(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"Missing": "", "Broken": "subscriptions: {}\n", "Empty": "\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.write("routes.yaml", content)
			if content == "" {
				b.remove("routes.yaml")
			}
			r := b.start()
			b.Eventually(b.log.String).Should(ContainSubstring("no good routes file"))
			b.Eventually(func() int { return b.post(r, "early") }).Should(Equal(http.StatusServiceUnavailable))
			b.Expect(b.status("http://" + r.admin + "/healthz")).To(Equal(http.StatusOK))
			b.Expect(b.status("http://" + r.admin + "/readyz")).To(Equal(http.StatusServiceUnavailable))
			b.routes(b.route("reports"))
			b.Eventually(func() int { return b.post(r, "early") }).Should(Equal(http.StatusOK))
			b.Eventually(func() int { return b.status("http://" + r.admin + "/readyz") }).Should(Equal(http.StatusOK))
		})
	}
}

func TestSignatureKeyIsExchanged(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.ready()
	url := "http://" + r.events + route
	b.Expect(b.postTo(url, eventBody("k1"), otherKey())).To(Equal(http.StatusUnauthorized))
	b.write("concur.pem", string(publicPEM(t, otherKey())))
	b.Eventually(func() int { return b.postTo(url, eventBody("k1"), otherKey()) }).Should(Equal(http.StatusOK))
	b.write("concur.pem", "")
	b.Eventually(func() string { return b.metric(r, `ess_receiver_reload_refused{file="proof"}`) }).Should(Equal("1"))
	b.Expect(b.postTo(url, eventBody("k2"), otherKey())).To(Equal(http.StatusOK))
}

func TestAdminTokenIsExchanged(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.ready()
	url := "http://" + r.admin + "/v1/statistics"
	status := func(token string) func() int {
		return func() int {
			status, _ := b.ask(url, token)
			return status
		}
	}
	b.Expect(status(adminToken)()).To(Equal(http.StatusOK))
	b.write("admin-token", adminToken+"\nnext-token-of-the-tests\n")
	b.Eventually(status("next-token-of-the-tests")).Should(Equal(http.StatusOK))
	b.Expect(status(adminToken)()).To(Equal(http.StatusOK), "both hold during a rotation")
	b.write("admin-token", "next-token-of-the-tests\n")
	b.Eventually(status(adminToken)).Should(Equal(http.StatusUnauthorized))
	b.write("admin-token", " \n")
	b.Eventually(b.log.String).Should(ContainSubstring("holds no token"))
	b.Expect(status("next-token-of-the-tests")()).To(Equal(http.StatusOK))
}

func TestSinkRulesAreExchanged(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.ready()
	config := b.read("config.yaml")
	success := func() string {
		return b.metric(r, `ess_receiver_reload_total{file="sinks",result="success"}`)
	}
	b.write("config.yaml", replaced(config, "sinks: {denyCIDRs: []}", ""))
	b.Eventually(success).Should(Equal("2"))
	b.Expect(b.post(r, "denied")).To(Equal(http.StatusOK))
	b.Eventually(func() string { _, s := b.ask("http://"+r.admin+"/v1/events", adminToken); return s }).Should(ContainSubstring("denyCIDRs"))
	b.Expect(b.sink.arrivals("denied")).To(BeZero())
	b.write("config.yaml", config)
	b.Eventually(func() int { return b.sink.arrivals("denied") }).Should(Equal(1))
}

func TestWhatNeedsARestartIsSaid(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.ready()
	b.configure(", maxInFlight: 17")
	b.write("config.yaml", replaced(b.read("config.yaml"), "maxSize: 64Mi", "maxSize: 65Mi"))
	b.Eventually(b.log.String).Should(ContainSubstring("[events.maxInFlight journal.bbolt.maxSize]"), "the first edit may be taken alone")
	b.Expect(b.post(r, "on")).To(Equal(http.StatusOK))
	b.write("config.yaml", "events: {listen: nowhere}\n")
	b.Eventually(func() string { return b.metric(r, `ess_receiver_reload_refused{file="config"}`) }).Should(Equal("1"))
	b.Eventually(b.log.String).Should(ContainSubstring(filepath.Join(b.dir, "config.yaml") + ": line 1: events.listen: must be an address"))
}

func TestCapOnBodiesIsRaised(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.configure(", maxBodySize: 1Ki")
	r := b.ready()
	large := replaced(eventBody("large"), `"C1"`, `"`+strings.Repeat("C", 2048)+`"`)
	url := "http://" + r.events + route
	b.Expect(b.postTo(url, large, signingKey())).To(Equal(http.StatusServiceUnavailable), "413 would lose the event")
	b.configure(", maxBodySize: 1Mi")
	b.Eventually(func() int { return b.postTo(url, large, signingKey()) }).Should(Equal(http.StatusOK))
}
