package journal

import (
	"maps"
	"slices"
	"sync"
)

// damage is what reading has found that is not what was written.
type damage struct {
	mu   sync.Mutex
	seqs map[uint64]struct{}
}

// found counts and logs a damaged event, once. It stays in the file, for Salvage.
func (j *Journal) found(seq uint64, err error) {
	if j.damage.add(seq) {
		j.options.Logger.Error("skipping a damaged event; it stays for salvage", "seq", seq, "error", err)
	}
}

// add reports whether it is new.
func (d *damage) add(seq uint64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.seqs[seq]; ok {
		return false
	}
	d.seqs[seq] = struct{}{}
	return true
}

func (d *damage) has(seq uint64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.seqs[seq]
	return ok
}

func (d *damage) list() []uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.seqs))
}
