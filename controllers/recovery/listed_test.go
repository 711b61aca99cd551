package recovery

import (
	"errors"
	"fmt"
	"testing"
)

// Concur may list for a while what it has deleted.
func TestWhatStaysListedHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	b := newBench(t, true) // it deletes nothing that it is asked to
	for n := range 250 {
		b.fail(fmt.Sprint(n), "")
	}
	for i, want := range []struct {
		stored int
		more   bool
	}{{100, true}, {100, true}, {50, false}, {0, false}} {
		stored, deleted, more, err := b.again()
		if err != nil || stored != want.stored || more != want.more || stored+deleted > maxActions {
			t.Errorf("run %d: stored %d, deleted %d, more is %t, %v; want %v", i, stored, deleted, more, err, want)
		}
	}
}

// What the list calls otherwise than the pages do is not in what was stored.
func TestWhatIsNotUnderstoodIsNotDeleted(t *testing.T) {
	t.Parallel()
	for _, missing := range []string{"EventType", "ObjectType", "ObjectURI"} {
		b := newBench(t, true)
		b.fail("1", "")
		delete(b.list[0], missing)
		for i, want := range []int{1, 0} {
			stored, deleted, _, err := b.again()
			if err != nil || stored != want || deleted != 0 || b.deleted != 0 || !errors.Is(b.way.skipped, errPartial) {
				t.Errorf("without %s, run %d: stored %d, deleted %d, skipped %v, %v", missing, i, stored, deleted, b.way.skipped, err)
			}
		}
	}
}
