//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// defaultRate is how many events happen in a second; E2E_RATE changes it.
const defaultRate = 20

// load lets events happen all the time, as long as its steps run.
type load struct {
	concur *concur
	prefix string
	stop   context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	sent   []string
	failed int
	first  error // the first failure to publish
}

// startLoad begins. Ids of its events begin with "e2e-", the name and a dash.
func (s *suite) startLoad(ctx context.Context, c *concur, name string) *load {
	s.t.Helper()
	rate, err := strconv.Atoi(cmp.Or(os.Getenv("E2E_RATE"), strconv.Itoa(defaultRate)))
	if err != nil || rate < 1 || rate > 500 {
		s.t.Fatalf("E2E_RATE is %q: it is a number of events in a second, from 1 to 500", os.Getenv("E2E_RATE"))
	}
	ctx, stop := context.WithCancel(ctx)
	l := &load{concur: c, prefix: "e2e-" + name + "-", stop: stop, done: make(chan struct{})}
	go l.run(ctx, time.Second/time.Duration(rate))
	return l
}

func (l *load) run(ctx context.Context, pause time.Duration) {
	defer close(l.done)
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		id := fmt.Sprintf("%s%06d", l.prefix, n)
		err := l.concur.publish(ctx, id)
		if ctx.Err() != nil {
			return // the ledger knows whether it was published
		}
		l.record(id, err)
	}
}

func (l *load) record(id string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.sent = append(l.sent, id)
		return
	}
	if l.failed++; l.first == nil {
		l.first = err
	}
}

// end stops publishing and returns what was published.
func (l *load) end() ([]string, error) {
	l.stop()
	<-l.done
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed > 0 {
		return l.sent, fmt.Errorf("%d events were not published, the first because of: %w", l.failed, l.first)
	}
	return l.sent, nil
}

// burst publishes some events at once and returns their ids.
func (s *suite) burst(ctx context.Context, c *concur, name string, n int) []string {
	s.t.Helper()
	ids := make([]string, 0, n)
	for i := range n {
		id := fmt.Sprintf("e2e-%s-%06d", name, i+1)
		s.must(c.publish(ctx, id))
		ids = append(ids, id)
	}
	return ids
}

// tally is what the emulator's ledger says of some events.
type tally struct {
	acknowledged []string    // answered 2xx
	waiting      int         // to be tried again
	lost         []string    // given up by ESS, whatever for
	answers      map[int]int // how often which status came; 0 when there was no answer
}

func tallyOf(deliveries []essemulator.Delivery) tally {
	t := tally{answers: map[int]int{}}
	for i := range deliveries {
		d := &deliveries[i]
		for _, attempt := range d.Attempts {
			t.answers[attempt.Status]++
		}
		switch d.Outcome {
		case essemulator.Delivered:
			t.acknowledged = append(t.acknowledged, d.EventID)
		case essemulator.Pending:
			t.waiting++
		default:
			t.lost = append(t.lost, fmt.Sprintf("%s: %s after %v", d.EventID, d.Outcome, d.Attempts))
		}
	}
	return t
}

// settle waits until ESS has delivered all events of a prefix, and all that it calls delivered have reached the sink.
func (s *suite) settle(ctx context.Context, c *concur, w *sink, prefix string) tally {
	s.t.Helper()
	var t tally
	s.eventually(ctx, "ESS has delivered "+prefix+"*", func(ctx context.Context) error {
		deliveries, err := c.deliveries(ctx, prefix)
		if err != nil {
			return err
		}
		if t = tallyOf(deliveries); t.waiting > 0 {
			return fmt.Errorf("%d of %d events wait for ESS to try again", t.waiting, len(deliveries))
		}
		return nil
	})
	if len(t.lost) > 0 {
		s.t.Errorf("ESS gave up %d events: %v", len(t.lost), t.lost[:min(len(t.lost), 5)])
	}
	s.eventually(ctx, "the sink has what was acknowledged", func(context.Context) error { return w.has(t.acknowledged) })
	return t
}

// account ends the load, and holds the ledgers of both ends to it.
func (s *suite) account(ctx context.Context, l *load, w *sink) {
	s.t.Helper()
	sent, err := l.end()
	if err != nil {
		s.t.Error(err)
	}
	t := s.settle(ctx, l.concur, w, l.prefix)
	s.must(w.has(sent))
	s.note("%d events, none lost; answers to ESS by status: %v (0 is none)", len(sent), t.answers)
	for status := range t.answers {
		if status != 0 && status != http.StatusOK && status != http.StatusServiceUnavailable {
			s.t.Errorf("the receiver answered %d, want 200, or 503 while it cannot take events", status)
		}
	}
}
