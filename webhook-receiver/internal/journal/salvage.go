package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"k8s.io/utils/clock"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// SalvageReport says what Salvage has brought over.
type SalvageReport struct {
	// Events were brought over, byte for byte.
	Events int
	// Missing are the seqs of events that were there and whose bytes are not whole.
	Missing []uint64
	// Unknown of the Events have no readable state: they are pending now, and may be delivered a second time.
	Unknown int
	// Stale of the Events have an older state than they had, or one of which that cannot be excluded.
	Stale int
	// Removed were found whole, but had been removed before the damage, and stay so.
	Removed int
	// IDs are remembered for de-duplication though their events are gone.
	IDs int
	// Unreadable bytes are those that the disk did not give back.
	Unreadable int64
}

// restoreBatch is how many events Salvage writes in one transaction.
const restoreBatch = 512

// afterSalvage is how far the count of events goes on after the last that was found, since later ones may have been
// lost: a seq never names two events.
const afterSalvage = 1 << 20

// Salvage reads whatever is whole in a damaged journal and writes it to a new one, which must not exist. It changes
// nothing in from, which no receiver may have open. Events keep their seqs; what has no readable state is
// delivered once more rather than not at all.
func Salvage(from, to string) (SalvageReport, error) {
	report, err := salvage(from, to, clock.RealClock{})
	if err != nil {
		return SalvageReport{}, fmt.Errorf("salvaging %s: %w", from, err)
	}
	return report, nil
}

func salvage(from, to string, c clock.WithTicker) (SalvageReport, error) {
	if _, err := os.Lstat(to); !errors.Is(err, os.ErrNotExist) {
		return SalvageReport{}, errors.Join(err, fmt.Errorf("%s exists; name a file that does not", to))
	}
	f, err := os.Open(from)
	if err != nil {
		return SalvageReport{}, err
	}
	defer f.Close()
	if err := lockFile(f); err != nil {
		return SalvageReport{}, explain(err, from)
	}
	info, err := f.Stat()
	if err != nil {
		return SalvageReport{}, err
	}
	d := gather(f, info.Size())
	unfinished := to + ".unfinished"
	report, err := d.restore(unfinished, info.Size(), c)
	if err != nil {
		return SalvageReport{}, errors.Join(err, os.Remove(unfinished))
	}
	return report, publish(unfinished, to)
}

// publish gives a finished file its name.
func publish(unfinished, to string) error {
	f, err := os.Open(unfinished)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close(), os.Rename(unfinished, to)); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// restore writes all to a new journal.
func (d *debris) restore(path string, size int64, c clock.WithTicker) (SalvageReport, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return SalvageReport{}, err
	}
	// Ages and due times are in store time, which goes on where it was, as after any restart.
	if d.time == 0 {
		d.time = nanos(c.Now())
	}
	if err := createFile(path, d.time); err != nil {
		return SalvageReport{}, err
	}
	j, err := Open(Options{
		Clock: c, Path: path, MaxSize: 4*size + 64<<20, MinFree: 1, Logger: slog.New(slog.DiscardHandler), noSync: true,
	})
	if err != nil {
		return SalvageReport{}, err
	}
	report := SalvageReport{Missing: d.missing(), Removed: len(d.spare), Unreadable: d.lost}
	err = errors.Join(d.restoreAll(j, &report), j.Close())
	return report, err
}

func (d *debris) restoreAll(j *Journal, report *SalvageReport) error {
	for seqs := range slices.Chunk(slices.Sorted(maps.Keys(d.events)), restoreBatch) {
		err := j.submit(context.Background(), 0, func(b *batch) error {
			for _, seq := range seqs {
				if err := d.restoreEvent(b, seq, report); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for seqs := range slices.Chunk(slices.Sorted(maps.Keys(d.seen)), restoreBatch) {
		err := j.submit(context.Background(), 0, func(b *batch) error {
			for _, seq := range seqs {
				d.restoreID(b, seq, report)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return j.submit(context.Background(), 0, d.restoreCounts)
}

func (d *debris) restoreEvent(b *batch, seq uint64, report *SalvageReport) error {
	sealed, err := d.sealed(seq)
	if err != nil {
		return err
	}
	e, err := openEvent(sealed, seq, true)
	if err != nil {
		return err
	}
	s := d.statusOf(seq, &e, b.now, report)
	r := b.rowOf(e.Route)
	r.Received++
	if e.Received.After(r.LastEvent) {
		r.LastEvent = e.Received
	}
	s.route = r.Number
	b.put(b.events, seqKey(seq), sealed)
	b.change(nil, s)
	if _, ok := d.seen[seq]; !ok {
		id := identity(&e)
		if e.Quarantine == sharedID {
			id = identity(&e, string(e.Body))
		}
		d.seen[seq] = seen{seq: seq, id: id, arrived: s.arrived}
	}
	report.Events++
	return nil
}

// sealed reads a record that the scan has found.
func (d *debris) sealed(seq uint64) ([]byte, error) {
	head := make([]byte, headerSize)
	if _, err := d.file.ReadAt(head, d.events[seq]); err != nil {
		return nil, err
	}
	h, err := readHeader(head)
	if err != nil {
		return nil, err
	}
	sealed := make([]byte, headerSize+int(h.length))
	_, err = d.file.ReadAt(sealed, d.events[seq])
	return sealed, err
}

// statusOf is the state that an event gets.
func (d *debris) statusOf(seq uint64, e *event.Event, now int64, report *SalvageReport) *status {
	s := d.statuses[seq]
	if s == nil && d.stale[seq] != nil {
		s = d.stale[seq]
		report.Stale++
	}
	if s == nil {
		report.Unknown++
		s = &status{
			seq: seq, version: 1, state: codePending, due: now, arrived: now, since: now,
			id: hashed(e.ID), received: nanos(e.Received),
		}
		if e.Quarantine != "" {
			s.state, s.due = codeQuarantined, 0
		}
	}
	return s
}

// restoreID remembers an id, for the latest of the events that had it. That of a missing event is forgotten: should
// the event come once more, it must not be taken for a duplicate.
func (d *debris) restoreID(b *batch, seq uint64, report *SalvageReport) {
	s := d.seen[seq]
	if _, ok := d.events[seq]; !ok && d.wanted[seq] {
		return
	}
	if _, arrived, ok := readIDValue(b.ids.Get(s.id[:])); !ok || arrived <= s.arrived {
		b.put(b.ids, s.id[:], idValue(s))
	}
	b.put(b.idlog, seqKey(seq), s.seal())
	if _, ok := d.events[seq]; !ok {
		report.IDs++
	}
}

// restoreCounts brings over what the routes knew, and sees to it that no seq is used twice.
func (d *debris) restoreCounts(b *batch) error {
	for id, old := range d.rows {
		r := b.rowOf(id)
		r.Received = max(r.Received, old.Received)
		r.LastError, r.ErrorTime = old.LastError, old.ErrorTime
		if old.LastEvent.After(r.LastEvent) {
			r.LastEvent = old.LastEvent
		}
	}
	b.changed = true
	if err := b.events.SetSequence(d.last + afterSalvage); err != nil {
		b.spoil(err)
	}
	return nil
}
