package session

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// remove calls Delete and compares whether ESS still lists the subscription, and the DELETEs so far.
func remove(t *testing.T, c *concur, s *Session, wantListed bool, wantCalls int) {
	t.Helper()
	listed, err := s.Delete(t.Context(), "a")
	if err != nil || listed != wantListed {
		t.Errorf("Delete says listed %v (%v), want %v", listed, err, wantListed)
	}
	if got := c.calls(essemulator.OpDelete); got != wantCalls {
		t.Errorf("%d DELETEs were sent, want %d", got, wantCalls)
	}
}

// pass lets the time of a bubble go by.
func pass(d time.Duration) { <-time.After(d) }

// TestDeleteIsSentSeldom runs against an ESS that takes seven minutes to remove what it marked.
func TestDeleteIsSentSeldom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConcur(t)
		s := c.ready(t, 5)
		put(t, s, "a")
		remove(t, c, s, true, 1)
		remove(t, c, s, true, 1) // polling is no reason to repeat it
		pass(redeleteAfter)
		remove(t, c, s, true, 1)
		pass(time.Second)
		remove(t, c, s, true, 2) // ESS may have forgotten
		pass(2 * time.Minute)
		remove(t, c, s, false, 2)

		put(t, s, "a")
		remove(t, c, s, true, 3) // what was made again is deleted again, at once
	})
}

func TestDeleteOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	c := newConcur(t)
	s := c.ready(t, 5)
	remove(t, c, s, false, 1)
}

func TestDeleteInTrouble(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason    string
		operation string
		calls     int // DELETEs after the second attempt
	}{
		"Refused":   {"a DELETE that failed is sent again", essemulator.OpDelete, 2},
		"NotListed": {"a DELETE that was accepted is not, and nothing is said to be gone without a LIST", essemulator.OpList, 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConcur(t)
			s := c.ready(t, 5)
			put(t, s, "a")
			c.InjectFault(essemulator.Fault{Operation: tc.operation, Status: 503, Times: 1})
			if listed, err := s.Delete(t.Context(), "a"); !listed || !errors.Is(err, ess.ErrUnavailable) {
				t.Errorf("Delete in trouble says listed %v, %v", listed, err)
			}
			c.RemoveSubscription("a")
			remove(t, c, s, false, tc.calls)
		})
	}
}

// TestDeleteWhileTheApplicationChanges: that another application has no such
// subscription does not mean that this one's is gone.
func TestDeleteWhileTheApplicationChanges(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{essemulator.OpDelete, essemulator.OpList} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newConcur(t)
				s := c.ready(t, 5)
				put(t, s, "a")
				release := c.hold(operation)
				type answer struct {
					listed bool
					err    error
				}
				done := make(chan answer, 1)
				go func() {
					listed, err := s.Delete(t.Context(), "a")
					done <- answer{listed, err}
				}()
				synctest.Wait()
				configure(t, s, c.config(appB, 5))
				release()
				if got := <-done; got.err != nil || !got.listed {
					t.Errorf("Delete says listed %v (%v), though nobody looked", got.listed, got.err)
				}
				if _, noted := s.deleted["a"]; noted {
					t.Error("the new application is said to have been asked to delete it")
				}
			})
		})
	}
}
