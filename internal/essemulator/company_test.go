package essemulator_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// companies are the company ids of a subscription.
func (b *bench) companies(id string) []string {
	b.t.Helper()
	for _, s := range b.emu.Subscriptions("") {
		if s.ID == id {
			return s.CompanyIDs
		}
	}
	b.t.Fatalf("no subscription %s", id)
	return nil
}

func (b *bench) connect(app, company string, groups ...string) {
	b.t.Helper()
	if err := b.emu.ConnectCompany(app, company, groups...); err != nil {
		b.t.Fatal(err)
	}
}

func TestConnectingIsNotRetroactive(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.subscribe("early", endpointURL)
	b.connect(appA, companyA)
	b.connect(appB, companyB)
	b.subscribe("late", endpointURL)
	if diff := cmp.Diff([]string{companyA}, b.companies("early")); diff != "" {
		t.Errorf("an existing subscription gets the companies of its own application (-want +got):\n%s", diff)
	}
	if got := b.companies("late"); len(got) != 0 {
		t.Errorf("a later subscription got %v, want none", got)
	}
	b.connect(appA, companyA)
	if diff := cmp.Diff([]string{companyA}, b.companies("late")); diff != "" {
		t.Errorf("connecting again reaches it (-want +got):\n%s", diff)
	}
}

func TestUpdateKeepsCompaniesUnlessAssumedOtherwise(t *testing.T) {
	t.Parallel()
	for name, keeps := range map[string]bool{"Keeps": true, "Resets": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(a *essemulator.Assumptions) { a.PutKeepsCompanies = keeps })
			b.subscribe("acme.reports", endpointURL)
			b.connect(appA, companyA)
			b.subscribe("acme.reports", "https://example.com/elsewhere")
			if got := len(b.companies("acme.reports")) == 1; got != keeps {
				t.Errorf("companies after an update: %v, want kept: %v", b.companies("acme.reports"), keeps)
			}
		})
	}
}

func TestDisconnectingTakesOnlyItsOwn(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.subscribe("acme.reports", endpointURL)
	b.connect(appA, companyA, "G1", "G2")
	b.connect(appA, companyB, "G2")
	if err := b.emu.DisconnectCompany(appA, companyA); err != nil {
		t.Fatal(err)
	}
	got := b.emu.Subscriptions(appA)[0]
	if diff := cmp.Diff([][]string{{companyB}, {"G2"}}, [][]string{got.CompanyIDs, got.Groups}); diff != "" {
		t.Errorf("companies and groups left (-want +got):\n%s", diff)
	}
}

func TestSingleCompanyApplicationIsConnectedAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.emu.PutApplication(essemulator.Application{
		ID: appA, Secrets: []string{"secret-" + appA}, Scopes: []string{"events.topic.read", "expense.report.read"},
		AllowedPrincipal: companyA,
	})
	b.subscribe("acme.reports", endpointURL)
	if diff := cmp.Diff([]string{companyA}, b.companies("acme.reports")); diff != "" {
		t.Errorf("companies after PUT (-want +got):\n%s", diff)
	}
	if err := b.emu.ConnectCompany(appA, companyB); !errors.Is(err, essemulator.ErrCompanyNotAllowed) {
		t.Errorf("connecting another company: %v, want ErrCompanyNotAllowed", err)
	}
	if err := b.emu.ConnectCompany("nobody", companyB); !errors.Is(err, essemulator.ErrNoApplication) {
		t.Errorf("connecting to nobody: %v, want ErrNoApplication", err)
	}
}

func TestRemovalAfterThirtyDaysWithoutCompany(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	b := newBench(t, nil)
	b.subscribe("lonely", endpointURL)
	b.clock.Step(20 * day)
	b.subscribe("connected", endpointURL)
	b.emu.PutSubscription(essemulator.Subscription{ID: "foreign", ApplicationID: appB, CompanyIDs: []string{companyB}})
	b.clock.Step(10*day - 1)
	if diff := cmp.Diff([]string{"connected", "foreign", "lonely"}, b.ids()); diff != "" {
		t.Errorf("just before 30 days (-want +got):\n%s", diff)
	}
	b.clock.Step(1)
	if diff := cmp.Diff([]string{"connected", "foreign"}, b.ids()); diff != "" {
		t.Errorf("at 30 days (-want +got):\n%s", diff)
	}
	b.connect(appA, companyA)
	b.clock.Step(100 * day)
	if diff := cmp.Diff([]string{"connected", "foreign"}, b.ids()); diff != "" {
		t.Errorf("with a company and nothing to deliver it stays (-want +got):\n%s", diff)
	}
	if err := b.emu.DisconnectCompany(appA, companyA); err != nil {
		t.Fatal(err)
	}
	b.clock.Step(30 * day)
	if diff := cmp.Diff([]string{"foreign"}, b.ids()); diff != "" {
		t.Errorf("30 days after the last company left (-want +got):\n%s", diff)
	}
}

func TestRemovalAfterThirtyDaysOfFailure(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	b := newBench(t, func(a *essemulator.Assumptions) { a.BackoffInitial, a.BackoffMax = day, day })
	ok := make(chan bool, 1)
	ok <- false
	b.deliverTo(newEndpoint(t, b.emu, answering(ok)))
	b.publish(report(`{}`))
	for range 29 {
		b.clock.Step(day)
		b.settle()
	}
	if got := b.emu.Subscriptions("")[0]; got.FailingSince.IsZero() || !got.LastSuccess.IsZero() {
		t.Errorf("after 29 days of failure: failing since %v, last success %v", got.FailingSince, got.LastSuccess)
	}
	b.clock.Step(day)
	if diff := cmp.Diff([]string{}, b.ids()); diff != "" {
		t.Errorf("after 30 days of failure (-want +got):\n%s", diff)
	}
}

func TestSuccessEndsTheDaysOfFailure(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	ok := make(chan bool, 1)
	ok <- false
	b.deliverTo(newEndpoint(t, b.emu, answering(ok)))
	b.publish(report(`{}`))
	<-ok
	ok <- true
	b.clock.Step(time.Second)
	b.settle()
	if got := b.emu.Subscriptions("")[0]; !got.FailingSince.IsZero() || !got.LastSuccess.Equal(b.clock.Now()) {
		t.Errorf("after a success: failing since %v, last success %v", got.FailingSince, got.LastSuccess)
	}
}
