package receiver_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"github.com/ess-operator/ess-operator/internal/essemulator/callout"
)

// A queue of Concur's is first come, first served, and each of three connectors has one. The receiver is killed while
// they drain, again and again.
func TestQueueOfCalloutsDrainsThroughKills(t *testing.T) {
	t.Parallel()
	all := []connector{reports, trips, claims}
	w := newCalloutWorld(t, all...)
	p := w.run()
	for _, c := range all {
		w.verified(c)
	}
	const kills = 8
	w.sink.fails(func(n int64) int { // a sink that is often in trouble
		if n%5 == 0 {
			return http.StatusServiceUnavailable
		}
		return 0
	})
	// What happens at the companies goes on while the receiver is away, as long as no more waits than any
	// machine can deliver in the end.
	const most = 300
	ctx, stop := context.WithCancel(t.Context())
	var companies sync.WaitGroup
	var total, done atomic.Int64
	for i, c := range all {
		companies.Go(func() {
			for ctx.Err() == nil {
				if n := total.Load(); n-done.Load() < most {
					if err := w.enter(c, fmt.Sprintf("https://us.example.com/report/3%%Rek29$%d?company=%d&x=<y>", n, i)); err != nil {
						t.Errorf("publishing: %v", err)
						return
					}
					total.Add(1)
				}
				select {
				case <-ctx.Done():
				case <-time.After(5 * time.Millisecond):
				}
			}
		})
	}
	delivered := func() int {
		n := w.outcomes()[callout.Delivered]
		done.Store(int64(n))
		return n
	}
	for range kills {
		before := delivered()
		w.Eventually(delivered).Should(gomega.BeNumerically(">", before+30))
		<-time.After(rand.N(50 * time.Millisecond)) // anywhere between two writes
		p.kill()
		p = w.run()
	}
	stop()
	companies.Wait()
	w.drained(int(total.Load()))
	w.Eventually(w.calloutsLost).Should(gomega.Succeed())
	t.Logf("killed the receiver %d times: %d callouts acknowledged, none lost; the sink got %d deliveries", kills, total.Load(), w.sink.total())
}

// All that Concur's pages print, and all that they leave open, arrives as the same thing.
func TestEveryFormOfCallouts(t *testing.T) {
	t.Parallel()
	w := newCalloutWorld(t, reports)
	w.run()
	w.verified(reports)
	count := 0
	for _, name := range callout.Samples() {
		body, err := callout.Sample(name)
		w.Expect(err).NotTo(gomega.HaveOccurred())
		_, err = w.ess.Callouts().PublishRaw(callout.Target{Connector: reports.name}, body)
		w.Expect(err).NotTo(gomega.HaveOccurred())
		count++
	}
	for _, change := range forms() {
		assume := w.ess.Assumptions()
		change(&assume.Callout)
		w.Expect(w.ess.SetAssumptions(assume)).To(gomega.Succeed())
		w.notify(reports, fmt.Sprintf("https://us.example.com/report/%d%%Rek29$?a=b&c=<d>", count))
		count++
	}
	w.drained(count)
	w.Eventually(w.calloutsLost).Should(gomega.Succeed())
	w.Expect(w.reported().Quarantined).To(gomega.BeZero())
}

// forms are changes that add up.
func forms() []func(*callout.Assumptions) {
	return []func(*callout.Assumptions){
		func(a *callout.Assumptions) { a.Declaration = callout.DeclarationPrinted },
		func(a *callout.Assumptions) { a.Namespaced = true },
		func(a *callout.Assumptions) { a.Order = callout.OrderList },
		func(a *callout.Assumptions) { a.Empty, a.Date = callout.EmptyNil, callout.DateAndTime },
		func(a *callout.Assumptions) { a.Empty, a.Date = callout.EmptyAbsent, callout.DateAndColon },
		func(a *callout.Assumptions) { a.Declaration, a.ContentType = callout.DeclarationNone, "" },
		func(a *callout.Assumptions) { a.ContentType, a.Namespaced = "text/plain; charset=ISO-8859-1", false },
	}
}

// A password that was mistyped at Concur, or in the Secret, is mended by a new routes file, and nothing is lost.
func TestWrongPasswordIsMended(t *testing.T) {
	t.Parallel()
	w := newCalloutWorld(t, reports.login("mistyped here"))
	w.run()
	w.register(reports)
	w.Expect(w.test(reports)).To(gomega.Equal(http.StatusUnauthorized))
	w.Expect(w.reported().LastTestConnection).To(gomega.BeZero())

	w.connectors(reports)
	w.Eventually(func() int { return w.test(reports) }).Should(gomega.Equal(http.StatusOK))
	w.Expect(w.reported().LastTestConnection).NotTo(gomega.BeZero())

	w.connectors(reports.login("changed here alone"))
	w.Eventually(func() int { return status(w, reports) }).Should(gomega.Equal(http.StatusUnauthorized))
	w.notify(reports, "https://us.example.com/report/waiting")
	w.Eventually(func() bool { return w.reported().Refusals != nil }).Should(gomega.BeTrue(), "refusals are told to their owner")
	w.Expect(w.outcomes()).To(gomega.Equal(map[callout.Outcome]int{callout.Queued: 1}))

	w.connectors(reports)
	w.drained(1)
	w.Eventually(w.calloutsLost).Should(gomega.Succeed())
	w.Expect(w.reported().Refusals).To(gomega.BeNil())
}

// status is what the receiver says of a connector's credentials. Nobody at Concur presses a button for it, which
// would take the verification away.
func status(w *world, c connector) int {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodHead, "https://"+w.events+"/system/v1.0/testconnection", nil)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	request.SetBasicAuth(c.user, c.password)
	answer, err := newLoad(w, 1).client.Do(request)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	_ = answer.Body.Close()
	return answer.StatusCode
}

// First the receiver knows both, then Concur has the new one, then the old one goes: at no time is one refused.
func TestRotationRefusesNobody(t *testing.T) {
	t.Parallel()
	w := newCalloutWorld(t, reports)
	w.run()
	w.verified(reports)
	fresh := reports.login("a new password")
	count := 0
	notify := func() {
		w.notify(reports, fmt.Sprint("https://us.example.com/report/", count))
		count++
		w.drained(count)
	}
	notify()
	w.connectors(reports, fresh)
	w.Eventually(func() int { return status(w, fresh) }).Should(gomega.Equal(http.StatusOK))
	notify()
	w.verified(fresh)
	notify()
	w.connectors(fresh)
	w.Eventually(func() int { return status(w, reports) }).Should(gomega.Equal(http.StatusUnauthorized))
	notify()
	for _, c := range w.ess.Callouts().Ledger() {
		if len(c.Attempts) != 1 {
			t.Errorf("callout %d took %d attempts", c.ID, len(c.Attempts))
		}
	}
	w.Eventually(w.calloutsLost).Should(gomega.Succeed())
}

// What is hostile or broken leaves Concur's queue, is kept, and reaches no sink; what comes after it does.
func TestHostileCalloutsGoIntoQuarantine(t *testing.T) {
	t.Parallel()
	w := newCalloutWorld(t, reports)
	w.run()
	w.verified(reports)
	bomb, err := os.ReadFile("testdata/entity-bomb.xml")
	w.Expect(err).NotTo(gomega.HaveOccurred())
	for _, body := range [][]byte{bomb, []byte("no XML at all"), []byte("<Notification><EventType>x</EventType></Notification>"), {}} {
		_, err := w.ess.Callouts().PublishRaw(callout.Target{Connector: reports.name}, body)
		w.Expect(err).NotTo(gomega.HaveOccurred())
	}
	w.drained(4)
	w.notify(reports, "https://us.example.com/report/after")
	w.drained(5)
	w.Eventually(w.sink.total).Should(gomega.Equal(1))
	w.Expect(w.reported().Quarantined).To(gomega.Equal(4))
}
