package app_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/app"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/journal"
)

// senders deliver events until the receiver can no longer be reached, and return the ids of those that
// were acknowledged.
func (b *bench) senders(r *receiver, count int) func() []string {
	var mu sync.Mutex
	var acknowledged []string
	var group sync.WaitGroup
	for i := range count {
		group.Go(func() {
			for n := 0; ; n++ {
				id := fmt.Sprint("s", i, "-", n)
				switch status := b.post(r, id); status {
				case http.StatusOK:
					mu.Lock()
					acknowledged = append(acknowledged, id)
					mu.Unlock()
				case http.StatusServiceUnavailable: // draining; ESS would repeat it
				case 0:
					return // gone
				default:
					b.Errorf("an event was answered %d", status)
					return
				}
			}
		})
	}
	return func() []string {
		group.Wait()
		return acknowledged
	}
}

func TestDrainUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.ready()
	wait := b.senders(r, 8)
	b.Eventually(b.sink.tries.Load).Should(BeNumerically(">", 50))
	b.Expect(r.stop()).To(Succeed())
	acknowledged := wait()
	b.ready()
	for _, id := range acknowledged {
		b.Eventually(func() int { return b.sink.arrivals(id) }).Should(BeNumerically(">=", 1), id)
	}
	b.Logf("%d events were acknowledged, and all have arrived", len(acknowledged))
}

func TestDrainServesOnForAWhile(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.write("config.yaml", replaced(b.read("config.yaml"), "drainQuietPeriod: 100ms", "drainQuietPeriod: 10s")) // longer than noticing takes
	r := b.ready()
	ended := make(chan error, 1)
	go func() { ended <- r.stop() }()
	b.Eventually(func() int { return b.status("http://" + r.admin + "/readyz") }).Should(Equal(http.StatusServiceUnavailable))
	b.Expect(b.post(r, "late")).To(Equal(http.StatusOK), "load balancers have not noticed yet")
	b.Eventually(ended).Should(Receive(BeNil()))
	b.Expect(b.sink.arrivals("late")).To(Equal(1))
	b.Expect(b.post(r, "too late")).To(BeZero())
}

func TestSenderThatNeverEndsDoesNotFailTheEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.ready()
	conn, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", r.events)
	b.Expect(err).NotTo(HaveOccurred())
	b.Cleanup(func() { _ = conn.Close() })
	_, err = conn.Write([]byte("POST " + route + " HTTP/1.1\r\nHost: "))
	b.Expect(err).NotTo(HaveOccurred())
	b.Eventually(func() string { return b.metric(r, "ess_receiver_connections") }).Should(Equal("1"))
	b.Expect(r.stop()).To(Succeed(), "a stranger must not decide how the receiver ends")
}

func TestSecondReceiverWaitsForTheJournal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	old := b.ready()
	young := b.start()
	b.Eventually(func() int { return b.post(young, "e") }).Should(Equal(http.StatusServiceUnavailable))
	b.Eventually(b.log.String).Should(ContainSubstring("waiting for another process to let go of the journal"))
	_, why := b.ask("http://"+young.admin+"/readyz", "")
	b.Expect(why).To(ContainSubstring("opening the journal"))
	b.Expect(old.stop()).To(Succeed())
	b.Eventually(func() int { return b.post(young, "e") }).Should(Equal(http.StatusOK))
	b.Eventually(func() int { return b.status("http://" + young.admin + "/readyz") }).Should(Equal(http.StatusOK))
}

// run runs a receiver that is to end by itself.
func (b *bench) run() error {
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	return app.Run(ctx, app.Options{
		ConfigPath: filepath.Join(b.dir, "config.yaml"), RoutesPath: filepath.Join(b.dir, "routes.yaml"),
		Logger: slog.New(slog.NewTextHandler(b.log, nil)), Version: "v0.0.0-test", LockTimeout: time.Nanosecond,
	})
}

func TestWaitForTheJournalEnds(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.ready()
	b.Expect(b.run()).To(MatchError(journal.ErrInUse))
}

func TestStartNamesAllThatIsWrong(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.configure(", tls: {certFile: none.crt, keyFile: none.key}")
	b.write("concur.pem", "no key")
	b.write("admin-token", "\n")
	err := b.run()
	b.Expect(err).To(HaveOccurred())
	for _, part := range []string{"none.crt", "none.key", "proof: signature:", "holds no token"} {
		b.Expect(err.Error()).To(ContainSubstring(part))
	}
	problems := app.Check(filepath.Join(b.dir, "config.yaml"), filepath.Join(b.dir, "routes.yaml"), slog.New(slog.DiscardHandler))
	b.Expect(problems).To(HaveLen(4), "%q", problems)
}

func TestStartFailsWithItsPort(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	taken := b.listen()
	b.Cleanup(func() { _ = taken.Close() })
	b.write("config.yaml", replaced(b.read("config.yaml"), `listen: "127.0.0.1:0"`, `listen: "`+taken.Addr().String()+`"`))
	b.Expect(b.run()).To(MatchError(ContainSubstring("listening on events.listen")))
}

func TestStartFailsWithItsJournal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.write("journal.db", "this is no journal, and nothing of it must be lost")
	err := b.run()
	b.Expect(err).To(MatchError(ContainSubstring("opening journal")))
	b.Expect(b.read("journal.db")).To(ContainSubstring("nothing of it must be lost"))
}
