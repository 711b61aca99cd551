package essemulator_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

func TestWhoGetsAnEvent(t *testing.T) {
	t.Parallel()
	base := func(change func(*essemulator.Subscription)) essemulator.Subscription {
		s := essemulator.Subscription{
			ID: "s", ApplicationID: appA, Topic: reports, Filter: ".*", Endpoint: endpointURL, CompanyIDs: []string{companyA},
		}
		change(&s)
		return s
	}
	type sub = essemulator.Subscription
	cases := map[string]struct {
		reason  string
		sub     sub
		match   essemulator.FilterMatch
		groups  []string
		deliver int
	}{
		"Fits":           {"topic, company and filter fit", base(func(*sub) {}), "", nil, 1},
		"OtherTopic":     {"not subscribed", base(func(s *sub) { s.Topic = "public.test" }), "", nil, 0},
		"OtherCompany":   {"not connected", base(func(s *sub) { s.CompanyIDs = []string{companyB} }), "", nil, 0},
		"NoCompany":      {"empty means nothing", base(func(s *sub) { s.CompanyIDs = nil }), "", nil, 0},
		"AnyCompany":     {"a single .* means all", base(func(s *sub) { s.CompanyIDs = []string{".*"} }), "", nil, 1},
		"Alternatives":   {"whole type", base(func(s *sub) { s.Filter = "reportCreated|statusChanged" }), "", nil, 1},
		"PartOfTheType":  {"filters match whole types", base(func(s *sub) { s.Filter = "status" }), "", nil, 0},
		"PartialAssumed": {"the other reading", base(func(s *sub) { s.Filter = "status" }), essemulator.MatchPartial, nil, 1},
		"BrokenFilter":   {"matches nothing", base(func(s *sub) { s.Filter = "(" }), "", nil, 0},
		"OtherGroup":     {"groups filter", base(func(s *sub) { s.Groups = []string{"G1"} }), "", []string{"G2"}, 0},
		"OwnGroup":       {"one in common is enough", base(func(s *sub) { s.Groups = []string{"G1"} }), "", []string{"G2", "G1"}, 1},
		"Marked":         {"about to be deleted", base(func(s *sub) { s.MarkedForDeletion = true }), "", nil, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(a *essemulator.Assumptions) {
				if tc.match != "" {
					a.FilterMatch = tc.match
				}
			})
			b.emu.PutSubscription(tc.sub)
			ev := report(`{}`)
			ev.Groups = tc.groups
			if n, err := b.emu.Publish(ev); n != tc.deliver || err != nil {
				t.Errorf("Publish = %d, %v; want %d: %s", n, err, tc.deliver, tc.reason)
			}
		})
	}
}

func TestPublishReadsTheBodyLeniently(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.emu.PutSubscription(essemulator.Subscription{
		ID: "s", ApplicationID: appA, Topic: reports, Filter: "statusChanged", CompanyIDs: []string{companyA},
	})
	body := `{"id":7,"topic":"` + reports + `","eventType":"statusChanged","correlationId":"c-1","facts":{"companyId":"` + companyA + `"}}`
	if n, err := b.emu.Publish(essemulator.Event{Body: []byte(body)}); n != 1 || err != nil {
		t.Fatalf("Publish = %d, %v; want 1", n, err)
	}
	now := b.clock.Now()
	want := essemulator.Delivery{
		ID: 1, SubscriptionID: "s", Topic: reports, CompanyID: companyA, EventType: "statusChanged", CorrelationID: "c-1",
		PublishedAt: now, Outcome: essemulator.Pending, Attempts: []essemulator.Attempt{}, NextAttempt: now,
	}
	if diff := cmp.Diff(want, b.only()); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
	for _, body := range []string{``, `null`, `[]`, `{"topic":"t"}`, `{"eventType":"t"}`} {
		if _, err := b.emu.Publish(essemulator.Event{Body: []byte(body)}); !errors.Is(err, essemulator.ErrInvalid) {
			t.Errorf("publishing %q without saying what it is: %v, want ErrInvalid", body, err)
		}
	}
}

func TestOrderedDeliveryHoldsTheNextEvent(t *testing.T) {
	t.Parallel()
	for name, ordered := range map[string]bool{"Ordered": true, "Parallel": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(a *essemulator.Assumptions) { a.Ordered = ordered })
			var failed atomic.Bool
			b.deliverTo(newEndpoint(t, b.emu, func(w http.ResponseWriter, _ *http.Request) {
				if failed.CompareAndSwap(false, true) {
					w.WriteHeader(http.StatusServiceUnavailable)
				}
			}))
			b.publish(report(`{"n":1}`))
			b.publish(report(`{"n":2}`))
			second := b.emu.Ledger()[1]
			if got := second.Outcome == essemulator.Pending; got != ordered {
				t.Errorf("while the first event waits the second is %s", second.Outcome)
			}
			b.clock.Step(time.Second)
			b.settle()
			for _, d := range b.emu.Ledger() {
				if d.Outcome != essemulator.Delivered {
					t.Errorf("in the end delivery %d is %s", d.ID, d.Outcome)
				}
			}
		})
	}
}

func TestWorkersBoundWhatRunsAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(a *essemulator.Assumptions) { a.Workers = 3 })
	arrived, release := make(chan struct{}, 100), make(chan struct{})
	ep := newEndpoint(t, b.emu, func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	})
	b.deliverTo(ep)
	for n := range 10 {
		if _, err := b.emu.Publish(report(fmt.Sprintf(`{"n":%d}`, n))); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		<-arrived
	}
	if got := len(ep.got()); got != 3 {
		t.Errorf("%d deliveries at once, want 3", got)
	}
	close(release)
	b.settle()
	if got := len(ep.got()); got != 10 {
		t.Errorf("%d deliveries in the end, want 10", got)
	}
}

func TestDeliveryToARemovedSubscriptionIsLost(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.deliverTo(newEndpoint(t, b.emu, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	b.publish(report(`{}`))
	b.emu.RemoveSubscription("acme.reports")
	b.clock.Step(time.Second)
	b.settle()
	if got := b.only().Outcome; got != essemulator.Lost {
		t.Errorf("outcome = %s, want lost", got)
	}
}
