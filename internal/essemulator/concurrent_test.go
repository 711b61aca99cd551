package essemulator_test

import (
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/internal/essemulator"
	"github.com/ess-operator/ess-operator/internal/essemulator/callout"
)

// TestConcurrentUse is for the race detector: clients, operators of the emulator and deliveries at once.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(a *essemulator.Assumptions) { a.DeleteDelay = 0 })
	ep := newEndpoint(t, b.emu, nil)
	b.deliverTo(ep)
	token := []string{"Authorization", "Bearer " + b.tokenOf(appB)}
	var work sync.WaitGroup
	for n := range 8 {
		id := "s" + strconv.Itoa(n)
		work.Go(func() {
			for range 5 {
				_, _ = b.send("PUT", apiPath+"/webhook", putJSON(id, reports, ".*", ep.URL), token...)
				_, _ = b.send("DELETE", apiPath+"/"+id, "", token...)
			}
		})
		work.Go(func() {
			for range 5 {
				_ = b.emu.ConnectCompany(appB, companyA)
				if _, err := b.emu.Publish(report(`{}`)); err != nil {
					t.Error(err)
				}
				b.clock.Step(time.Second)
				b.emu.Ledger()
				b.emu.Requests()
				b.emu.InjectFault(essemulator.Fault{Operation: essemulator.OpList, Times: 1, Status: 500})
			}
		})
	}
	work.Wait()
	b.settle()
	for _, d := range b.emu.Ledger() {
		if d.SubscriptionID == "acme.reports" && d.Outcome != essemulator.Delivered {
			t.Errorf("delivery %d is %s", d.ID, d.Outcome)
		}
	}
}

// TestConcurrentCallouts likewise, for the callout.
func TestConcurrentCallouts(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.register(newEndpoint(t, b.emu, nil))
	var work sync.WaitGroup
	for n := range 8 {
		work.Go(func() {
			for range 5 {
				b.mustAdmin("POST", "/v1/notification-samples/expense-report-1?connector=reports", "")
				b.mustAdmin("POST", "/v1/connectors/reports/test", "")
				b.mustAdmin("GET", "/v1/callouts", "")
				b.mustAdmin("PATCH", "/v1/assumptions", `{"callout-blocking":"`+strconv.FormatBool(n%2 == 0)+`"}`)
				b.clock.Step(time.Second)
			}
		})
	}
	work.Wait()
	b.settle()
	ledger := b.emu.Callouts().Ledger()
	for _, c := range ledger {
		if c.Outcome != callout.Delivered {
			t.Errorf("callout %d is %s", c.ID, c.Outcome)
		}
	}
	if len(ledger) != 40 {
		t.Errorf("%d callouts, want 40", len(ledger))
	}
}

func TestEndpointOfAnUnknownAuthorityGetsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	stranger := httptest.NewTLSServer(nil)
	t.Cleanup(stranger.Close)
	b.emu.PutSubscription(essemulator.Subscription{
		ID: "s", ApplicationID: appA, Topic: reports, Filter: ".*", Endpoint: stranger.URL, CompanyIDs: []string{companyA},
	})
	b.run()
	b.publish(report(`{}`))
	d := b.only()
	if d.Outcome != essemulator.Pending || !strings.Contains(d.Attempts[0].Error, "certificate") {
		t.Errorf("got %s with %+v, want a pending delivery that names the certificate", d.Outcome, d.Attempts)
	}
}
