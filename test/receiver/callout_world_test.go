package receiver_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/onsi/gomega"

	"github.com/ess-operator/ess-operator/internal/essemulator"
	"github.com/ess-operator/ess-operator/internal/essemulator/callout"
)

// connector is what somebody types into Concur's Register Application Connector page.
type connector struct{ name, path, user, password string }

// login returns another password of the same connector.
func (c connector) login(password string) connector {
	c.password = password
	return c
}

var (
	reports = connector{"reports", callout.DefaultPath, "concur-reports", "correct horse battery"}
	trips   = connector{"trips", callout.DefaultPath, "concur-trips", "Tr0ub4dor&3 \"quoted\""}
	claims  = connector{"claims", "/claims/notify", "concur-claims", "päßwörter sind länger"}
)

// newCalloutWorld is a world without ESS. Callouts are tried so often, and so soon, that none fails for good however
// long the receiver takes to start.
func newCalloutWorld(t *testing.T, connectors ...connector) *world {
	t.Helper()
	w := newWorld(t, nil, func(assume *essemulator.Assumptions) {
		assume.Callout.Attempts, assume.Callout.Interval = 100, time.Second
	})
	w.connectors(connectors...)
	return w
}

// connectors writes the routes file: those of one name are one connector with several credentials.
func (w *world) connectors(all ...connector) {
	w.t.Helper()
	var text strings.Builder
	text.WriteString("connectors:\n")
	last := ""
	for _, c := range all {
		if c.name != last {
			fmt.Fprintf(&text, "- namespace: finance\n  name: %q\n  path: %q\n  sink: {uri: %q}\n"+
				"  delivery: {backoffPolicy: linear, backoffDelay: PT0.05S, timeout: PT5S, ordering: PerKey}\n  credentials:\n", c.name, c.path, w.sink.URL)
		}
		last = c.name
		fmt.Fprintf(&text, "  - {username: %q, password: %q}\n", c.user, c.password)
	}
	w.write("routes.yaml", text.String())
}

// register types a connector into Concur's page, or changes it there.
func (w *world) register(c connector) {
	w.t.Helper()
	w.Expect(w.ess.Callouts().PutConnector(callout.Connector{
		Name: c.name, Host: "https://" + w.events, Path: c.path, UserName: c.user, Password: c.password, Enabled: true,
	})).To(gomega.Succeed())
}

// test presses Test Connection, and returns the receiver's answer.
func (w *world) test(c connector) int {
	w.t.Helper()
	attempt, err := w.ess.Callouts().TestConnection(w.t.Context(), c.name)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	return attempt.Status
}

// verified registers a connector and tests it, without which nothing is sent.
func (w *world) verified(c connector) {
	w.t.Helper()
	w.register(c)
	w.Expect(w.test(c)).To(gomega.Equal(http.StatusOK), "Test Connection of %s", c.name)
}

// notify makes a report enter a workflow step.
func (w *world) notify(c connector, uri string) {
	w.t.Helper()
	w.Expect(w.enter(c, uri)).To(gomega.Succeed())
}

// enter is notify for any goroutine.
func (w *world) enter(c connector, uri string) error {
	n, err := w.ess.Callouts().Publish(callout.Target{Connector: c.name}, callout.Notification{
		EventType: "Report Entered Expense Report Workflow Step - SUBMIT", ObjectType: "EXPRPT", ObjectURI: uri,
	})
	if err == nil && n != 1 {
		err = fmt.Errorf("one notification made %d callouts", n)
	}
	return err
}

// outcomes counts the emulator's callouts.
func (w *world) outcomes() map[callout.Outcome]int {
	outcomes := map[callout.Outcome]int{}
	for _, c := range w.ess.Callouts().Ledger() {
		outcomes[c.Outcome]++
	}
	return outcomes
}

// drained waits until the emulator has got rid of all callouts, and fails if one of them did so as FAILED.
func (w *world) drained(count int) {
	w.t.Helper()
	w.Eventually(w.outcomes).Should(gomega.Equal(map[callout.Outcome]int{callout.Delivered: count}), "what became of the callouts")
}

// calloutKey is the CloudEvents identity that a callout has to have.
func (w *world) calloutKey(c callout.Callout) string {
	return identity("https://"+w.events+"/connectors/finance/"+c.Connector, c.BodySHA256)
}

// calloutsLost returns an error for the first callout that the receiver took and the sink did not get, or got as
// something else than the emulator published.
func (w *world) calloutsLost() error {
	w.sink.mu.Lock()
	defer w.sink.mu.Unlock()
	for _, c := range w.ess.Callouts().Ledger() {
		got := w.sink.got[w.calloutKey(c)]
		if len(got) == 0 {
			return fmt.Errorf("callout %d of %s about %s never arrived", c.ID, c.Connector, c.ObjectURI)
		}
		for _, a := range got {
			var data struct{ EventType, ObjectType, ObjectURI string }
			if err := json.Unmarshal(a.body, &data); err != nil {
				return fmt.Errorf("reading what arrived of callout %d: %w", c.ID, err)
			}
			want := []string{"com.concur.notification." + c.ObjectType, "application/json", c.ObjectURI, c.EventType, c.ObjectType, c.ObjectURI}
			is := []string{a.header.Get("Ce-Type"), a.header.Get("Content-Type"), unescaped(a.header.Get("Ce-Subject")), data.EventType, data.ObjectType, data.ObjectURI}
			if diff := cmp.Diff(want, is); diff != "" {
				return fmt.Errorf("callout %d arrived as something else (-want +got):\n%s", c.ID, diff)
			}
		}
	}
	return nil
}

// unescaped undoes what the CloudEvents HTTP binding does to attributes; a bare % is written %25.
func unescaped(attribute string) string { return strings.ReplaceAll(attribute, "%25", "%") }

// reported is what the receiver's statistics say of the connector of reports.
func (w *world) reported() (found calloutStatistics) {
	w.t.Helper()
	var stats struct{ Routes []calloutStatistics }
	w.admin(http.MethodGet, "/v1/statistics", &stats)
	for _, r := range stats.Routes {
		if r.Route.Kind == "connector" && r.Route.Name == reports.name {
			return r
		}
	}
	return found
}

type calloutStatistics struct {
	Route                          struct{ Kind, Name string }
	Received, Pending, Quarantined int
	LastTestConnection             time.Time
	Refusals                       *struct {
		Count  int
		Reason string
	}
}
