package journal

import (
	"bytes"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

const (
	// defaultPage and maxPage bound a page.
	defaultPage, maxPage = 100, 1000
	// A List looks at so many states and reads so many events; then it returns what it has, and where to go on.
	maxLooked, maxRead = 200_000, 20_000
)

// List returns events that the filter selects, without bodies, ordered by Seq, and the Page.After of the next page: 0
// at the end. A page may be short or empty though more follow, when few of very many events match. A Limit of zero
// means 100; more than 1,000 means 1,000. Damaged events are left out, logged and counted.
func (j *Journal) List(f event.Filter, p event.Page) (records []event.Record, next uint64, err error) {
	wall := j.clock.wallTime()
	next, err = j.scan(f, p, func(s *status, e event.Event) {
		records = append(records, s.record(e, wall))
	})
	if err != nil {
		return nil, 0, fmt.Errorf("listing events: %w", err)
	}
	return records, next, nil
}

// matching is List for those who need only the numbers.
func (j *Journal) matching(f event.Filter, p event.Page) (seqs []uint64, next uint64, err error) {
	next, err = j.scan(f, p, func(s *status, _ event.Event) { seqs = append(seqs, s.seq) })
	return seqs, next, err
}

// scan calls visit for a page of events.
func (j *Journal) scan(f event.Filter, p event.Page, visit func(*status, event.Event)) (next uint64, err error) {
	sc := &scan{j: j, filter: f, page: p, id: hashed(f.ID), visit: visit}
	if p.Limit <= 0 {
		sc.page.Limit = defaultPage
	}
	sc.page.Limit = min(sc.page.Limit, maxPage)
	if !sc.chooseRoutes() {
		return 0, j.unavailable()
	}
	// Several short transactions: a long one keeps the pages alive that are freed meanwhile.
	for more := true; more; {
		err := j.view(func(tx *bolt.Tx) error {
			more = sc.step(tx)
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return sc.next, nil
}

// scan is a List under way.
type scan struct {
	j      *Journal
	filter event.Filter
	page   event.Page
	id     digest
	visit  func(*status, event.Event)

	routes       map[uint32]bool // nil: all
	found        int
	more         bool // one that matches was found beyond the page
	looked, read int
	next         uint64
}

// chooseRoutes reports whether any route can match.
func (sc *scan) chooseRoutes() bool {
	f := sc.filter
	if f.Kind == "" && f.Namespace == "" && f.Name == "" {
		return true
	}
	sc.routes = map[uint32]bool{}
	for _, r := range sc.j.routes.all() {
		if selects(f, r.Route) {
			sc.routes[r.Number] = true
		}
	}
	return len(sc.routes) > 0
}

func selects(f event.Filter, id event.RouteID) bool {
	return (f.Kind == "" || f.Kind == id.Kind) && (f.Namespace == "" || f.Namespace == id.Namespace) &&
		(f.Name == "" || f.Name == id.Name)
}

// step looks at some events and reports whether there are more to look at.
func (sc *scan) step(tx *bolt.Tx) bool {
	some := max(sc.page.Limit+1, 64)
	seqs := sc.candidates(tx, some)
	for _, seq := range seqs {
		sc.look(tx, seq)
		if sc.more {
			sc.next = sc.page.After
			return false
		}
		sc.page.After = seq
		if sc.looked >= maxLooked || sc.read >= maxRead {
			sc.next = seq
			return false
		}
	}
	return len(seqs) == some
}

// look visits an event if it matches.
func (sc *scan) look(tx *bolt.Tx, seq uint64) {
	sc.looked++
	s, err := readStatus(tx, seq)
	if err != nil {
		sc.j.found(seq, err)
		return
	}
	if s == nil || !sc.matches(s) {
		return
	}
	sc.read++
	e, err := readEvent(tx, seq, false)
	if err != nil {
		sc.j.found(seq, err)
		return
	}
	if t := sc.filter.Type; t != "" && t != e.Type && t != e.EventType {
		return
	}
	if sc.found == sc.page.Limit {
		sc.more = true
		return
	}
	sc.found++
	sc.visit(s, e)
}

func (sc *scan) matches(s *status) bool {
	f := sc.filter
	return (sc.routes == nil || sc.routes[s.route]) &&
		(f.State == "" || f.State == states[s.state]) &&
		(f.ID == "" || s.id == sc.id) &&
		(f.Since.IsZero() || s.received >= nanos(f.Since)) &&
		(f.Until.IsZero() || s.received < nanos(f.Until))
}

// candidates are the next n events that may match, in the order of the page.
func (sc *scan) candidates(tx *bolt.Tx, n int) []uint64 {
	state := stateCode(sc.filter.State)
	if sc.filter.State == "" || !indexed(state) {
		return sc.along(tx.Bucket(bucketState), nil, n)
	}
	var seqs []uint64
	index := tx.Bucket(bucketIndex)
	for _, r := range sc.j.routes.all() {
		if sc.routes == nil || sc.routes[r.Number] {
			seqs = append(seqs, sc.along(index, indexPrefix(state, r.Number), n)...)
		}
	}
	slices.Sort(seqs)
	if sc.page.Newest {
		slices.Reverse(seqs)
	}
	return seqs[:min(n, len(seqs))]
}

// along returns the next n seqs below a prefix.
func (sc *scan) along(bucket *bolt.Bucket, prefix []byte, n int) (seqs []uint64) {
	c := bucket.Cursor()
	step, key := c.Next, sc.start(c, prefix)
	if sc.page.Newest {
		step = c.Prev
	}
	for len(seqs) < n && key != nil && bytes.HasPrefix(key, prefix) {
		seqs = append(seqs, number(key))
		key, _ = step()
	}
	return seqs
}

// start puts the cursor on the first key after Page.After in the direction of the page.
func (sc *scan) start(c *bolt.Cursor, prefix []byte) []byte {
	after := sc.page.After
	if !sc.page.Newest {
		key, _ := c.Seek(slices.Concat(prefix, seqKey(after+1)))
		return key
	}
	if after == 0 {
		after = 1<<64 - 1
	}
	if key, _ := c.Seek(slices.Concat(prefix, seqKey(after))); key == nil {
		key, _ = c.Last()
		return key
	}
	key, _ := c.Prev()
	return key
}
