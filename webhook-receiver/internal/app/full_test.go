package app_test

import (
	"log/slog"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"testing"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/journal"
)

// TestFullJournalIsSaidAtTheStart starts a receiver whose journal was made smaller than what it holds. Nobody
// delivers that, because the routes do not know whose it is.
func TestFullJournalIsSaidAtTheStart(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.fill(18 << 20)
	b.write("config.yaml", replaced(b.read("config.yaml"), "maxSize: 64Mi", "maxSize: 16Mi"))
	r := b.start()
	b.Eventually(b.log.String).Should(ContainSubstring("the journal is open and full"))
	b.Expect(b.log.String()).NotTo(ContainSubstring("events are taken"))
	b.Eventually(func() int { return b.post(r, "refused") }).Should(Equal(http.StatusServiceUnavailable))
}

// fill stores so many bytes of events before a receiver starts.
func (b *bench) fill(bytes int) {
	b.Helper()
	j, err := journal.Open(journal.Options{
		Path: filepath.Join(b.dir, "journal.db"), MaxSize: 64 << 20, DedupeWindow: time.Hour, CalloutDedupeWindow: time.Hour, Retention: time.Hour,
		Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	b.Expect(err).NotTo(HaveOccurred())
	body := make([]byte, 1<<20)
	for n := range bytes / len(body) {
		_, err := j.Append(b.Context(), event.Entry{State: event.Pending, Event: event.Event{
			Route: event.RouteID{Kind: event.Subscription, Namespace: "finance", Name: "departed"}, ID: strconv.Itoa(n),
			Received: time.Now(), Time: time.Now(), Body: body,
		}})
		b.Expect(err).NotTo(HaveOccurred())
	}
	b.Expect(j.Close()).To(Succeed())
}
