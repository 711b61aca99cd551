package session

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

func TestQuotaHoldsUnderConcurrency(t *testing.T) {
	t.Parallel()
	c := newConcur(t)
	const limit, many = 3, 50
	s := c.ready(t, limit)
	var stored, refused atomic.Int32
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() {
			switch _, err := s.Put(t.Context(), wanted(fmt.Sprintf("s-%d", i))); {
			case err == nil:
				stored.Add(1)
			case errors.Is(err, ErrQuota):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if stored.Load() != limit || refused.Load() != many-limit || len(c.Subscriptions(appA)) != limit {
		t.Errorf("%d stored and %d refused of %d, ESS holds %d; the limit is %d",
			stored.Load(), refused.Load(), many, len(c.Subscriptions(appA)), limit)
	}
	if got := c.calls(essemulator.OpPut); got != limit {
		t.Errorf("%d PUTs for %d places: a refusal must cost no call", got, limit)
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		before func(*testing.T, *concur, *Session)
		id     string
		want   error
	}{
		"Free": {"there is a place", func(*testing.T, *concur, *Session) {}, "c", nil},
		"Full": {"the limit is reached",
			func(t *testing.T, _ *concur, s *Session) { put(t, s, "b") }, "c", ErrQuota},
		"Update": {"a change of what is there takes no place",
			func(t *testing.T, _ *concur, s *Session) { put(t, s, "b") }, "a", nil},
		"FailedPut": {"a PUT that failed gives its place back",
			func(t *testing.T, c *concur, s *Session) {
				c.InjectFault(essemulator.Fault{Operation: essemulator.OpPut, Status: 500, Times: 1})
				if _, err := s.Put(t.Context(), wanted("b")); !errors.Is(err, ess.ErrUnavailable) {
					t.Fatal(err)
				}
			}, "c", nil},
		"Foreign": {"what others made with this application counts",
			func(t *testing.T, c *concur, s *Session) {
				c.PutSubscription(essemulator.Subscription{ID: "by-hand", ApplicationID: appA})
				refresh(t, s)
			}, "c", ErrQuota},
		"Freed": {"what is gone from ESS counts no longer",
			func(t *testing.T, c *concur, s *Session) {
				put(t, s, "b")
				c.RemoveSubscription("b")
				refresh(t, s)
			}, "c", nil},
		"Raised": {"a higher limit acts at once",
			func(t *testing.T, c *concur, s *Session) {
				put(t, s, "b")
				configure(t, s, c.config(appA, 3))
			}, "c", nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConcur(t)
			s := c.ready(t, 2)
			put(t, s, "a")
			tc.before(t, c, s)
			if err := s.Place(tc.id, nil); !errors.Is(err, tc.want) {
				t.Errorf("Place says %v, want %v: %s", err, tc.want, tc.reason)
			}
			if _, err := s.Put(t.Context(), wanted(tc.id)); !errors.Is(err, tc.want) {
				t.Errorf("Put says %v, want %v: %s", err, tc.want, tc.reason)
			}
		})
	}
}

// TestLimitIsNotLearnedFromAnOldInventory lets somebody else take the last
// place behind the back of the session, and give it back.
func TestLimitIsNotLearnedFromAnOldInventory(t *testing.T) {
	t.Parallel()
	c := newConcur(t)
	s := c.ready(t, 10)
	put(t, s, "one")
	c.PutSubscription(essemulator.Subscription{ID: "else", ApplicationID: appA, Topic: reports})
	refusal := `{"error":{"message":"application already has 2 subscriptions"}}`
	c.InjectFault(essemulator.Fault{Operation: essemulator.OpPut, Status: 400, Body: refusal, Times: 1})
	if _, err := s.Put(t.Context(), wanted("two")); !errors.Is(err, ess.ErrQuota) {
		t.Fatalf("the third is told as %v", err)
	}
	refresh(t, s)
	if got := s.Snapshot().Limit; got != 2 {
		t.Errorf("the limit is %d, but ESS shows two", got)
	}
	c.RemoveSubscription("else")
	refresh(t, s)
	put(t, s, "two")
}

// TestPlaceFreedSoonAfterARefusal gives back the place that somebody else took before the session has another reason
// to look: a limit that is learned too low would be believed for a day.
func TestPlaceFreedSoonAfterARefusal(t *testing.T) {
	t.Parallel()
	c := newConcur(t)
	s := c.ready(t, 10)
	put(t, s, "one")
	c.PutSubscription(essemulator.Subscription{ID: "else", ApplicationID: appA, Topic: reports})
	refusal := `{"error":{"message":"application already has 2 subscriptions"}}`
	c.InjectFault(essemulator.Fault{Operation: essemulator.OpPut, Status: 400, Body: refusal, Times: 1})
	if _, err := s.Put(t.Context(), wanted("two")); !errors.Is(err, ess.ErrQuota) {
		t.Fatalf("the third is told as %v", err)
	}
	if err := s.Place("two", nil); !errors.Is(err, ErrQuota) {
		t.Errorf("after the refusal Place says %v", err)
	}
	c.RemoveSubscription("else")
	refresh(t, s)
	put(t, s, "two")
}

// TestPersonKnowsBetterThanARefusal raises the limit at SAP Concur within the day for which the lower one is believed.
func TestPersonKnowsBetterThanARefusal(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		say    func(*testing.T, *concur, *Session)
		want   int
	}{
		"Nothing": {"nobody says that it was raised", func(*testing.T, *concur, *Session) {}, 1},
		"Resync":  {"the spec is as it was", func(t *testing.T, c *concur, s *Session) { configure(t, s, c.config(appA, 10)) }, 1},
		"Spec":    {"spec.maxSubscriptions is what the advice names", func(t *testing.T, c *concur, s *Session) { configure(t, s, c.config(appA, 20)) }, 20},
		"Lowered": {"it is another word all the same", func(t *testing.T, c *concur, s *Session) { configure(t, s, c.config(appA, 7)) }, 7},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConcur(t)
			s := c.ready(t, 10)
			put(t, s, "one")
			refusal := `{"error":{"message":"application already has 1 subscriptions"}}`
			c.InjectFault(essemulator.Fault{Operation: essemulator.OpPut, Status: 400, Body: refusal, Times: 1})
			if _, err := s.Put(t.Context(), wanted("two")); !errors.Is(err, ess.ErrQuota) {
				t.Fatalf("the second is told as %v", err)
			}
			tc.say(t, c, s)
			if got := s.Snapshot().Limit; got != tc.want {
				t.Errorf("the limit is %d, want %d: %s", got, tc.want, tc.reason)
			}
		})
	}
}

// TestLearnedLimitIsOfOneApplication gives the connection the credentials of another application.
func TestLearnedLimitIsOfOneApplication(t *testing.T) {
	t.Parallel()
	refusal := essemulator.Fault{Operation: essemulator.OpPut, Status: 400, Body: `{"error":{"message":"application already has 1 subscriptions"}}`, Times: 1}
	t.Run("Before", func(t *testing.T) {
		t.Parallel()
		c := newConcur(t)
		s := c.ready(t, 10)
		put(t, s, "one")
		c.InjectFault(refusal)
		if _, err := s.Put(t.Context(), wanted("two")); !errors.Is(err, ess.ErrQuota) {
			t.Fatalf("the second is told as %v", err)
		}
		configure(t, s, c.config(appB, 10))
		if got := s.Snapshot().Limit; got != 10 {
			t.Errorf("the limit is %d, which ESS said of another application", got)
		}
	})
	t.Run("Meanwhile", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c := newConcur(t)
			s := c.ready(t, 10)
			c.InjectFault(refusal)
			err := c.refusedWhile(t, s, func() { configure(t, s, c.config(appB, 10)) })
			if !errors.Is(err, ess.ErrQuota) {
				t.Fatalf("the PUT is told as %v", err)
			}
			if got := s.Snapshot().Limit; got != 10 {
				t.Errorf("the limit is %d, which ESS said of another application", got)
			}
		})
	})
}

// TestPlaceFreedBeforeItIsCounted frees a place between the refusal and the LIST that counts.
func TestPlaceFreedBeforeItIsCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConcur(t)
		s := c.ready(t, 10)
		put(t, s, "one")
		put(t, s, "two")
		c.InjectFault(essemulator.Fault{Operation: essemulator.OpPut, Status: 400, Body: `{"error":{"message":"application already has 2 subscriptions"}}`, Times: 1})
		if err := c.refusedWhile(t, s, func() { c.RemoveSubscription("two") }); !errors.Is(err, ess.ErrQuota) {
			t.Fatalf("the third is told as %v", err)
		}
		put(t, s, "another")
	})
}

// refusedWhile is what a PUT is answered while something else happens.
func (c *concur) refusedWhile(t *testing.T, s *Session, happens func()) error {
	release := c.hold(essemulator.OpPut)
	done := make(chan error, 1)
	go func() {
		_, err := s.Put(t.Context(), wanted("more"))
		done <- err
	}()
	synctest.Wait()
	happens()
	release()
	return <-done
}

// TestRefusalThatCannotBeCounted refuses a subscription when ESS does not list either.
func TestRefusalThatCannotBeCounted(t *testing.T) {
	t.Parallel()
	c := newConcur(t)
	s := c.ready(t, 10)
	put(t, s, "one")
	c.InjectFault(essemulator.Fault{Operation: essemulator.OpPut, Status: 400, Body: `{"error":{"message":"application already has 1 subscriptions"}}`})
	c.InjectFault(essemulator.Fault{Operation: essemulator.OpList, Status: 503})
	if _, err := s.Put(t.Context(), wanted("two")); !errors.Is(err, ess.ErrQuota) {
		t.Errorf("the refusal is told as %v", err)
	}
	if got := s.Snapshot().Limit; got != 1 {
		t.Errorf("the limit is %d, and one is known of", got)
	}
}

func TestPlacesOfOlderObjects(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		ahead  []string
		want   error
	}{
		"None":     {"nobody comes first", nil, nil},
		"Enough":   {"there is a place for both", []string{"b"}, nil},
		"TooMany":  {"the older ones get the places", []string{"b", "c"}, ErrQuota},
		"Rivals":   {"two objects with one id need one place", []string{"b", "b"}, nil},
		"Done":     {"an older one that ESS holds by now has its place already", []string{"a", "b"}, nil},
		"InFlight": {"an older one that is being created has its place already", []string{"creating"}, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newConcur(t).ready(t, 3)
			put(t, s, "a")
			if name == "InFlight" {
				release, err := s.reserve("creating")
				if err != nil {
					t.Fatal(err)
				}
				defer release()
			}
			if err := s.Place("last", tc.ahead); !errors.Is(err, tc.want) {
				t.Errorf("Place says %v, want %v: %s", err, tc.want, tc.reason)
			}
		})
	}
}
