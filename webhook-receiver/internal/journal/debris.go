package journal

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"maps"
	"slices"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// debris is what a damaged file still has.
type debris struct {
	file io.ReaderAt
	live *live

	events   map[uint64]int64 // seq -> offset of a whole record
	wanted   map[uint64]bool  // seqs that should have an event
	statuses map[uint64]*status
	stale    map[uint64]*status // the newest copy that is no longer, or not certainly, in the tree
	seen     map[uint64]seen
	rows     map[event.RouteID]*row
	last     uint64
	time     int64            // the latest store time found
	spare    map[uint64]int64 // whole copies of events that the tree has elsewhere, or no longer
	lost     int64            // unreadable bytes
}

// gather reads all records of a file.
func gather(file io.ReaderAt, size int64) *debris {
	d := &debris{
		file: file, live: whatLives(file, size), events: map[uint64]int64{}, wanted: map[uint64]bool{},
		statuses: map[uint64]*status{}, stale: map[uint64]*status{}, seen: map[uint64]seen{},
		rows: map[event.RouteID]*row{}, spare: map[uint64]int64{},
	}
	s := &scanner{file: file, size: size, whole: d.whole, broken: d.broken}
	s.run()
	d.lost = s.unreadable
	// Events never change, so that any copy of one that should be there will do.
	for seq := range d.wanted {
		if offset, ok := d.spare[seq]; ok {
			if _, ok := d.events[seq]; !ok {
				d.events[seq] = offset
			}
			delete(d.spare, seq)
		}
	}
	return d
}

// broken notes that there was an event, unless it had been removed.
func (d *debris) broken(h header, offset int64) {
	if h.kind == kindEvent && d.live.has(bucketEvents, h.seq, offset) != gone {
		d.wanted[h.seq] = true
	}
	if h.kind == kindEvent || h.kind == kindStatus {
		d.last = max(d.last, h.seq)
	}
}

func (d *debris) whole(h header, offset int64, payload []byte) {
	switch h.kind {
	case kindEvent:
		d.last = max(d.last, h.seq)
		if d.live.has(bucketEvents, h.seq, offset) == gone {
			d.spare[h.seq] = offset
		} else {
			d.events[h.seq], d.wanted[h.seq] = offset, true
		}
	case kindStatus:
		d.last = max(d.last, h.seq)
		if s, err := decodeStatus(payload, h.seq); err == nil {
			d.status(s, d.live.has(bucketState, h.seq, offset))
		}
	case kindID:
		if s, err := decodeSeen(payload, h.seq); err == nil && d.live.has(bucketIDLog, h.seq, offset) != gone {
			d.seen[h.seq] = s
		}
	case kindRoute:
		d.route(payload)
	}
}

// route keeps the newest copy.
func (d *debris) route(payload []byte) {
	r := &row{}
	if json.Unmarshal(payload, r) != nil {
		return
	}
	if old := d.rows[r.Route]; old == nil || old.Version <= r.Version {
		d.rows[r.Route] = r
	}
}

// status keeps the newest copy.
func (d *debris) status(s *status, is presence) {
	d.time = max(d.time, s.arrived, s.since)
	in := d.stale
	if is == present {
		in = d.statuses
	}
	if is != gone {
		d.wanted[s.seq] = true
	}
	if old := in[s.seq]; old == nil || old.version < s.version {
		in[s.seq] = s
	}
}

// missing are the seqs of events that cannot be brought back.
func (d *debris) missing() (seqs []uint64) {
	for _, seq := range slices.Sorted(maps.Keys(d.wanted)) {
		if _, ok := d.events[seq]; !ok {
			seqs = append(seqs, seq)
		}
	}
	return seqs
}

// live tells the records of the tree from copies that bbolt has left in free pages. Where the tree is damaged, and
// nobody can tell, all count: bringing back what was removed is better than losing what was not.
type live struct {
	pageSize int64
	pages    map[string]map[int64]bool // bucket -> numbers of its leaf pages
	lost     map[string][]keyRange     // bucket -> seqs that the tree no longer finds
	all      bool                      // nothing of the tree can be trusted
}

type keyRange struct{ lo, hi uint64 } // hi is included

func whatLives(file io.ReaderAt, size int64) *live {
	l := &live{pages: map[string]map[int64]bool{}, lost: map[string][]keyRange{}}
	m, err := newestMeta(file)
	if err != nil || size < m.size() {
		l.all = true
		return l
	}
	l.pageSize = m.pageSize
	w := newWalk(file, m)
	w.leaf = func(bucket string, offset, size int64) {
		if l.pages[bucket] == nil {
			l.pages[bucket] = map[int64]bool{}
		}
		for id := offset / m.pageSize; id <= (offset+size-1)/m.pageSize; id++ {
			l.pages[bucket][id] = true
		}
	}
	w.lost = func(bucket string, lo, hi []byte, _ error) error {
		l.lose(bucket, lo, hi)
		return nil
	}
	// It returns what lost returns: nothing.
	_ = w.tree("", m.root, nil, nil)
	return l
}

func (l *live) lose(bucket string, lo, hi []byte) {
	if bucket == "" {
		l.all = true
		return
	}
	r := keyRange{0, 1<<64 - 1}
	if len(lo) == 8 {
		r.lo = binary.BigEndian.Uint64(lo)
	}
	if len(hi) == 8 {
		r.hi = binary.BigEndian.Uint64(hi)
	}
	l.lost[bucket] = append(l.lost[bucket], r)
}

// presence says whether the tree has a record.
type presence int

const (
	gone    presence = iota // it has not
	doubted                 // nobody can tell
	present
)

func (l *live) has(in []byte, seq uint64, offset int64) presence {
	pages, lost := l.pages[string(in)], l.lost[string(in)]
	switch {
	case l.all || pages == nil && lost == nil:
		return doubted
	case pages[offset/l.pageSize]:
		return present
	case slices.ContainsFunc(lost, func(r keyRange) bool { return r.lo <= seq && seq <= r.hi }):
		return doubted
	}
	return gone
}
