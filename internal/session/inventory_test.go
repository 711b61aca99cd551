package session

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// step is one answer that arrives, numbered by when it was asked for.
type step func(Inventory) Inventory

func listed(reading uint64, ids ...string) step {
	return func(i Inventory) Inventory {
		list := []ess.Subscription{}
		for _, id := range ids {
			list = append(list, ess.Subscription{ID: id})
		}
		return i.merged(list, reading, time.Time{})
	}
}

func read(reading uint64, id string, present bool) step {
	return func(i Inventory) Inventory {
		return i.with(id, entry{subscription: ess.Subscription{ID: id}, present: present, reading: reading})
	}
}

func TestNewestReadingCounts(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		steps  []step
		want   []string
	}{
		"Nothing":              {"the zero value knows nothing", nil, []string{}},
		"Listed":               {"ids come sorted", []step{listed(1, "b", "a")}, []string{"a", "b"}},
		"ListReplaces":         {"what a later LIST lacks is gone", []step{listed(1, "a", "b"), listed(2, "b")}, []string{"b"}},
		"ReadAdds":             {"a read after the LIST is newer", []step{listed(1, "a"), read(2, "b", true)}, []string{"a", "b"}},
		"ReadTakes":            {"a read after the LIST is newer", []step{listed(1, "a", "b"), read(2, "b", false)}, []string{"a"}},
		"OldListKeepsRead":     {"a LIST asked for before a write may be answered after it", []step{read(2, "b", true), listed(1, "a")}, []string{"a", "b"}},
		"OldListKeepsAbsence":  {"the same when the read found nothing", []step{read(2, "b", false), listed(1, "a", "b")}, []string{"a"}},
		"NewListBeatsRead":     {"a read is no knowledge for ever", []step{read(1, "b", true), listed(2, "a")}, []string{"a"}},
		"OldReadKeepsRead":     {"of two reads the later asked for counts", []step{read(2, "a", false), read(1, "a", true)}, []string{}},
		"OldReadKeepsListed":   {"a slow read that found nothing, from before the LIST", []step{listed(2, "a"), read(1, "a", false)}, []string{"a"}},
		"OldReadKeepsUnlisted": {"a slow read that found something, from before the LIST", []step{listed(2), read(1, "a", true)}, []string{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var i Inventory
			for _, apply := range tc.steps {
				before := i
				ids := before.IDs()
				i = apply(i)
				if diff := cmp.Diff(ids, before.IDs()); diff != "" {
					t.Errorf("an inventory that was handed out changed:\n%s", diff)
				}
			}
			if diff := cmp.Diff(tc.want, i.IDs()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			for _, id := range tc.want {
				if s, ok := i.Subscription(id); !ok || s.ID != id {
					t.Errorf("%s is listed and not found", id)
				}
			}
		})
	}
}

func TestListOlderThanWriteDoesNotUndoIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConcur(t)
		s := c.ready(t, 5)
		release := c.hold(essemulator.OpList)
		refreshed := make(chan error, 1)
		go func() { refreshed <- s.Refresh(t.Context()) }()
		synctest.Wait() // the LIST was answered without "new", and its answer is on the way
		put(t, s, "new")
		release()
		if err := <-refreshed; err != nil {
			t.Fatal(err)
		}
		if _, ok := s.Snapshot().Inventory.Subscription("new"); !ok {
			t.Error("an old answer took away what was just read back: the object would be created once more")
		}
	})
}

func TestReadOlderThanListDoesNotUndoIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConcur(t)
		s := c.ready(t, 5)
		put(t, s, "old")
		release := c.hold(essemulator.OpGet)
		readBack := make(chan error, 1)
		go func() { _, err := s.Read(t.Context(), "old"); readBack <- err }()
		synctest.Wait()
		c.RemoveSubscription("old")
		refresh(t, s)
		release()
		if err := <-readBack; err != nil {
			t.Fatal(err)
		}
		if _, ok := s.Snapshot().Inventory.Subscription("old"); ok {
			t.Error("an old answer brought back what the LIST no longer had")
		}
	})
}

func TestReadTeachesTheInventory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConcur(t)
		s := c.ready(t, 5)
		put(t, s, "a")
		c.RemoveSubscription("a")
		if _, err := s.Read(t.Context(), "a"); !errors.Is(err, ess.ErrNotFound) {
			t.Errorf("reading what is gone: %v", err)
		}
		if _, ok := s.Snapshot().Inventory.Subscription("a"); ok {
			t.Error("what a read did not find is still known")
		}
		put(t, s, "a")
		c.InjectFault(essemulator.Fault{Operation: essemulator.OpGet, Status: 500, Times: 1})
		if _, err := s.Read(t.Context(), "a"); !errors.Is(err, ess.ErrUnavailable) {
			t.Errorf("reading in trouble: %v", err)
		}
		if _, ok := s.Snapshot().Inventory.Subscription("a"); !ok {
			t.Error("trouble was read as absence")
		}
	})
}
