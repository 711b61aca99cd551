package session

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

func TestWaitingRefreshesShareOneList(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConcur(t)
		s := c.ready(t, 5)
		release := c.hold(essemulator.OpList)
		const many = 20
		done := make(chan error, many)
		for range many {
			go func() { done <- s.Refresh(t.Context()) }()
		}
		synctest.Wait()
		if got := c.calls(essemulator.OpList); got != 1 {
			t.Errorf("%d LISTs at once, want 1", got)
		}
		release()
		for range many {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		// The first LIST was asked for before the others came, so that they need one more: together.
		if got := c.calls(essemulator.OpList); got != 2 {
			t.Errorf("%d callers made %d LISTs, want 2", many, got)
		}
	})
}

func TestFailedListIsNotShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConcur(t)
		s := c.ready(t, 5)
		c.InjectFault(essemulator.Fault{Operation: essemulator.OpList, Status: 503, Times: 1})
		release := c.hold(essemulator.OpList)
		done := make(chan error, 2)
		for range 2 {
			go func() { done <- s.Refresh(t.Context()) }()
		}
		synctest.Wait()
		release()
		failed := 0
		for range 2 {
			if err := <-done; errors.Is(err, ess.ErrUnavailable) {
				failed++
			} else if err != nil {
				t.Error(err)
			}
		}
		if got := c.calls(essemulator.OpList); failed != 1 || got != 2 {
			t.Errorf("%d of 2 refreshes failed with %d LISTs, want 1 with 2", failed, got)
		}
	})
}

// TestWaitForListEnds holds the errors of those who wait for somebody else's LIST: they must be of a
// kind that a status can show.
func TestWaitForListEnds(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		end    func(context.Context) (context.Context, context.CancelFunc)
		want   error
	}{
		"Deadline": {"Concur was too slow for this caller, too",
			func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, time.Second)
			}, ess.ErrTimeout},
		"Cancelled": {"nobody is at fault when the manager stops",
			func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				cancel()
				return ctx, cancel
			}, context.Canceled},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newConcur(t)
				s := c.ready(t, 5)
				release := c.hold(essemulator.OpList)
				first := make(chan error, 1)
				go func() { first <- s.Refresh(t.Context()) }()
				synctest.Wait()
				ctx, cancel := tc.end(t.Context())
				defer cancel()
				if err := s.Refresh(ctx); !errors.Is(err, tc.want) {
					t.Errorf("got %v, want %v: %s", err, tc.want, tc.reason)
				}
				release()
				if err := <-first; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestLateAnswerOfTheFormerApplication(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{essemulator.OpList, essemulator.OpGet} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newConcur(t)
				s := c.ready(t, 5)
				put(t, s, "a")
				release := c.hold(operation)
				done := make(chan error, 1)
				go func() {
					if operation == essemulator.OpGet {
						_, err := s.Read(t.Context(), "a")
						done <- err
						return
					}
					done <- s.list(t.Context(), s.nextReading())
				}()
				synctest.Wait()
				configure(t, s, c.config(appB, 5))
				release()
				if err := <-done; err != nil {
					t.Fatal(err)
				}
				if ids := s.Snapshot().Inventory.IDs(); len(ids) > 0 {
					t.Errorf("the new application is said to have %v of the former one", ids)
				}
			})
		})
	}
}
