package app_test

import (
	"fmt"
	"net/http"
	"testing"

	. "github.com/onsi/gomega"
)

func TestEventReachesItsSink(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.ready()
	b.Expect(b.post(r, "e1")).To(Equal(http.StatusOK))
	b.Eventually(func() int { return b.sink.arrivals("e1") }).Should(Equal(1))
	got := b.sink.first("e1")
	b.Expect(got.body).To(Equal(eventBody("e1")), "the body must arrive byte for byte")
	for name, want := range map[string]string{
		"Ce-Specversion": "1.0", "Ce-Type": "com.concur.expense.report.reportCreated",
		"Ce-Source": "https://us.example.com/events/v4/subscriptions/finance.reports", "Ce-Subject": "R1",
	} {
		b.Expect(got.header.Get(name)).To(Equal(want), name)
	}
	b.Expect(b.metric(r, `ess_receiver_build_info{version="v0.0.0-test"}`)).To(Equal("1"))
}

func TestSinkThatComesBackGetsEverything(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.sink.down.Store(true)
	r := b.ready()
	for i := range 5 {
		b.Expect(b.post(r, fmt.Sprint("e", i))).To(Equal(http.StatusOK), "a dead sink must not reach ESS")
	}
	b.Eventually(b.sink.tries.Load).Should(BeNumerically(">=", 2))
	b.sink.down.Store(false)
	for i := range 5 {
		b.Eventually(func() int { return b.sink.arrivals(fmt.Sprint("e", i)) }).Should(Equal(1))
	}
}

func TestForgedEventIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.ready()
	b.Expect(b.postTo("http://"+r.events+route, eventBody("forged"), otherKey())).To(Equal(http.StatusUnauthorized))
	b.Expect(b.post(r, "real")).To(Equal(http.StatusOK))
	b.Eventually(func() int { return b.sink.arrivals("real") }).Should(Equal(1))
	b.Expect(b.sink.arrivals("forged")).To(BeZero())
}

func TestDuplicateArrivesOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.ready()
	for range 3 {
		b.Expect(b.post(r, "twin")).To(Equal(http.StatusOK))
	}
	b.Expect(b.post(r, "last")).To(Equal(http.StatusOK))
	b.Eventually(func() int { return b.sink.arrivals("last") }).Should(Equal(1))
	b.Expect(r.stop()).To(Succeed())
	r = b.ready()
	b.Expect(b.post(r, "twin")).To(Equal(http.StatusOK), "ids are known across a restart")
	b.Expect(b.post(r, "after")).To(Equal(http.StatusOK))
	b.Eventually(func() int { return b.sink.arrivals("after") }).Should(Equal(1))
	b.Expect(b.sink.arrivals("twin")).To(Equal(1))
}

func TestRestartKeepsWhatWasAccepted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.sink.down.Store(true)
	r := b.ready()
	b.Expect(b.post(r, "kept")).To(Equal(http.StatusOK))
	b.Expect(r.stop()).To(Succeed())
	b.sink.down.Store(false)
	b.ready()
	b.Eventually(func() int { return b.sink.arrivals("kept") }).Should(Equal(1))
}

func TestOrphansWaitAndAreSeen(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.sink.down.Store(true)
	r := b.ready()
	b.Expect(b.post(r, "orphan")).To(Equal(http.StatusOK))
	b.routes()
	b.Eventually(func() string { return b.metric(r, "ess_receiver_orphaned_events") }).Should(Equal("1"))
	b.sink.down.Store(false)
	b.routes(b.route("reports"))
	b.Eventually(func() int { return b.sink.arrivals("orphan") }).Should(Equal(1))
	b.Expect(b.metric(r, "ess_receiver_orphaned_events")).To(Equal("0"))
}
