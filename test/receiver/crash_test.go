package receiver_test

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/onsi/gomega"
)

const (
	// roundsVariable says how often the receiver is killed; "make crash" sets it.
	roundsVariable = "RECEIVER_CRASH_ROUNDS"
	fewRounds      = 12
	senders        = 16
	busy           = 40 // events acknowledged before each kill
)

func TestNothingAcknowledgedIsLostWhenKilledUnderLoad(t *testing.T) {
	t.Parallel()
	rounds := fewRounds
	if text := os.Getenv(roundsVariable); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil || rounds < 1 {
			t.Fatalf("%s is %q, must be a number above 0", roundsVariable, text)
		}
	}
	w := newWorld(t, []string{"one", "two", "three"})
	l := newLoad(w, senders)
	ctx, stop := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	for sender := range senders {
		sending.Go(func() { l.send(ctx, sender) })
	}
	for round := range rounds {
		p := w.run()
		before := l.count()
		w.Eventually(l.count).Should(gomega.BeNumerically(">", before+busy), "events in round %d", round)
		<-time.After(rand.N(100 * time.Millisecond)) // anywhere between two writes
		p.kill()
	}
	stop()
	sending.Wait()
	if len(l.unexpected) > 0 {
		t.Errorf("the receiver gave answers with which ESS drops an event: %v", l.unexpected)
	}
	w.run()
	w.Eventually(func() error { return w.sink.missing(l.acknowledged) }).Should(gomega.Succeed())
	t.Logf("killed the receiver %d times under load: %d events acknowledged, none lost; the sink got %d deliveries",
		rounds, l.count(), w.sink.total())
}
