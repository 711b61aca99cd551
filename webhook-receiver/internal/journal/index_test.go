package journal

import (
	"errors"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// TestMissingIndexEntryIsDamage takes an event out of each index: it would never be delivered, or listed.
func TestMissingIndexEntryIsDamage(t *testing.T) {
	t.Parallel()
	for _, name := range [][]byte{bucketDue, bucketIndex, bucketOrder} {
		t.Run(string(name), func(t *testing.T) {
			t.Parallel()
			b := open(t)
			b.add(keyed(reports, "a", "k"))
			err := b.db.Update(func(tx *bolt.Tx) error {
				key, _ := tx.Bucket(name).Cursor().First()
				return tx.Bucket(name).Delete(key)
			})
			if err != nil {
				t.Fatal(err)
			}
			b.close()
			if _, err := Open(b.options); !errors.Is(err, ErrDamaged) {
				t.Fatalf("Open = %v, want ErrDamaged", err)
			}
			to := b.options.Path + ".salvaged"
			if _, err := salvage(b.options.Path, to, b.clock); err != nil {
				t.Fatal(err)
			}
			b.options.Path = to
			b.reopen()
			b.claim(reports, "a")
			b.state(1, event.Pending)
		})
	}
}
