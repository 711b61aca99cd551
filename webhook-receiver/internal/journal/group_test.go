package journal

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	bolt "go.etcd.io/bbolt"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// transactions is how many there have been.
func (b *bench) transactions() (id int) {
	_ = b.db.View(func(tx *bolt.Tx) error {
		id = tx.ID()
		return nil
	})
	return id
}

// TestGroupCommit has 100 senders wait, two of each event: they share one transaction, and duplicates join it.
func TestGroupCommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n = 50
		b := open(t)
		before := b.transactions()
		free := make(chan struct{})
		go func() { _ = b.submit(t.Context(), 0, func(*batch) error { <-free; return nil }) }()
		synctest.Wait()
		outcomes := make(chan event.Outcome, 2*n)
		for i := range 2 * n {
			go func() {
				outcome, err := b.Append(t.Context(), entry(reports, fmt.Sprint(i%n)))
				if err != nil {
					t.Error(err)
				}
				outcomes <- outcome
			}()
		}
		synctest.Wait()
		if len(outcomes) > 0 {
			t.Error("somebody was answered before the transaction")
		}
		close(free)
		count := map[event.Outcome]int{}
		for range 2 * n {
			count[<-outcomes]++
		}
		if count[event.Accepted] != n || count[event.Duplicate] != n {
			t.Errorf("outcomes %v, want %d of each", count, n)
		}
		if got := b.transactions() - before; got != 1 {
			t.Errorf("%d transactions, want 1", got)
		}
	})
}

// TestCloseAnswersWhoWaits wants ErrUnavailable for those who come too late.
func TestCloseAnswersWhoWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		free, first, second := make(chan struct{}), make(chan error, 1), make(chan error, 1)
		go func() { first <- b.submit(t.Context(), 0, func(*batch) error { <-free; return nil }) }()
		synctest.Wait()
		go func() {
			_, err := b.Append(t.Context(), entry(reports, "a"))
			second <- err
		}()
		synctest.Wait()
		go b.close()
		if err := <-second; !errors.Is(err, event.ErrUnavailable) {
			t.Errorf("Append = %v, want ErrUnavailable", err)
		}
		close(free)
		if err := <-first; err != nil {
			t.Errorf("what was under way was answered with %v", err)
		}
	})
}
