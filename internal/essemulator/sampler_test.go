package essemulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// sampled starts the sampler, and returns a function that lets one interval pass and waits for n deliveries.
func (b *bench) sampled(interval time.Duration) (next func(n int) []essemulator.Delivery) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan error, 1)
	go func() { done <- b.emu.PublishSamples(ctx, interval) }()
	b.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Errorf("the sampler ended with %v", err)
		}
	})
	seen := 0
	return func(n int) []essemulator.Delivery {
		b.t.Helper()
		b.eventually(b.clock.HasWaiters)
		b.clock.Step(interval)
		b.eventually(func() bool { return len(b.emu.Ledger()) >= seen+n })
		all := b.emu.Ledger()
		fresh := all[seen:]
		seen = len(all)
		return fresh
	}
}

func TestSamplesArePublishedAgainAndAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	ep := newEndpoint(t, b.emu, func(http.ResponseWriter, *http.Request) {})
	b.subscribe("s", ep.URL+"/events")
	b.connect(appA, companyA)
	next := b.sampled(time.Minute)
	var ids, types []string
	for range 8 {
		for _, d := range next(1) {
			ids, types = append(ids, d.EventID), append(types, d.EventType)
		}
	}
	b.run()
	b.settle()
	if n := len(slices.Compact(slices.Sorted(slices.Values(ids)))); n != 8 {
		t.Errorf("8 intervals made %d different events, want 8: %v", n, ids)
	}
	if !slices.Contains(types, "statusChanged") || len(slices.Compact(slices.Sorted(slices.Values(types)))) < 2 {
		t.Errorf("event types: %v, want those of the topic in turn", types)
	}
	for _, got := range ep.got() {
		var ev struct {
			TimeStamp time.Time
			Facts     struct{ CompanyID string }
		}
		if err := json.Unmarshal([]byte(got.Body), &ev); err != nil {
			t.Fatal(err)
		}
		if ev.Facts.CompanyID != companyA || b.clock.Since(ev.TimeStamp) > 8*time.Minute {
			t.Errorf("event of %s in company %s, want one of now in %s", ev.TimeStamp, ev.Facts.CompanyID, companyA)
		}
	}
}

func TestSamplesAreForWhoWantsThem(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	for _, s := range []essemulator.Subscription{
		{ID: "both", Topic: reports, CompanyIDs: []string{companyA, companyB}},
		{ID: "one", Topic: reports, CompanyIDs: []string{companyB}, Groups: []string{"g"}},
		{ID: "nobody", Topic: reports},
		{ID: "everybody", Topic: "public.concur.request", CompanyIDs: []string{".*"}},
		{ID: "unprinted", Topic: "public.test", CompanyIDs: []string{companyA}},
	} {
		s.ApplicationID, s.Filter = appA, ".*"
		b.emu.PutSubscription(s)
	}
	var got []string
	for _, d := range b.sampled(time.Second)(4) {
		got = append(got, d.SubscriptionID+" "+d.CompanyID)
	}
	slices.Sort(got)
	want := []string{"both " + companyA, "both " + companyB, "everybody .*", "one " + companyB}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("deliveries (-want +got):\n%s", diff)
	}
}

func TestSamplesNeedAnInterval(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	if err := b.emu.PublishSamples(t.Context(), 0); !errors.Is(err, essemulator.ErrInvalid) {
		t.Errorf("PublishSamples every 0s: %v, want ErrInvalid", err)
	}
}
