package journal

import (
	"bytes"
	"fmt"
	"os"

	bolt "go.etcd.io/bbolt"
)

// CheckReport says what Check has read, and what is wrong with it.
type CheckReport struct {
	// Events were read, with their states.
	Events int
	// Damaged are the seqs of those that are not what was stored.
	Damaged []uint64
	// Problems say what else is wrong; at most 100.
	Problems []string
}

// Whole reports whether nothing is wrong.
func (r CheckReport) Whole() bool { return len(r.Damaged) == 0 && len(r.Problems) == 0 }

// maxProblems bounds a report.
const maxProblems = 100

// Check reads all of a journal that no receiver has open, and changes nothing. An error means that it could not be
// read at all; a file with a damaged tree is a problem of the report.
func Check(path string) (CheckReport, error) {
	c := &check{}
	err := c.file(path)
	if err != nil {
		return CheckReport{}, fmt.Errorf("checking journal %s: %w", path, err)
	}
	return c.report, nil
}

type check struct {
	quick   bool // leave out the events themselves
	report  CheckReport
	rows    map[uint32]*row
	counts  map[uint32]*[5]uint64
	entries map[string]int // that each index should have
	cursors map[string]*bolt.Cursor
}

func (c *check) problem(format string, args ...any) {
	if len(c.report.Problems) < maxProblems {
		c.report.Problems = append(c.report.Problems, fmt.Sprintf(format, args...))
	}
}

func (c *check) file(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := lockFile(f); err != nil {
		return explain(err, path)
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := prove(f, info.Size(), nil); err != nil {
		c.problem("%v", err)
		return nil
	}
	db, err := bolt.Open(path, 0, &bolt.Options{ReadOnly: true, OpenFile: func(string, int, os.FileMode) (*os.File, error) {
		return f, nil // it has the lock
	}})
	if err != nil {
		return err
	}
	err = guard(func() error { return db.View(c.tree) })
	if err != nil {
		c.problem("%v", err)
	}
	return db.Close()
}

// indexes checks that the states of a journal that is being opened are where Claim and List look for them: nothing
// else proves an index, and an event that is missing there would never be delivered. It tells of damaged states.
func (j *Journal) indexes() error {
	c := &check{quick: true}
	err := guard(func() error { return j.db.View(c.tree) })
	if err != nil {
		return err
	}
	for _, seq := range c.report.Damaged {
		j.found(seq, fmt.Errorf("%w: the state of event %d", ErrDamaged, seq))
	}
	if len(c.report.Problems) > 0 {
		return fmt.Errorf("%w: %s", ErrDamaged, c.report.Problems[0])
	}
	return nil
}

// tree reads every record, and computes what the indexes should be.
func (c *check) tree(tx *bolt.Tx) error {
	if err := checkFormat(tx); err != nil {
		return err
	}
	all := &routes{}
	if err := all.load(tx); err != nil {
		return err
	}
	c.rows, c.counts, c.entries = all.rows, map[uint32]*[5]uint64{}, map[string]int{}
	c.cursors = map[string]*bolt.Cursor{}
	for _, name := range [][]byte{bucketIndex, bucketDue, bucketOrder} {
		c.cursors[string(name)] = tx.Bucket(name).Cursor()
	}
	for number := range c.rows {
		c.counts[number] = &[5]uint64{}
	}
	err := tx.Bucket(bucketState).ForEach(func(key, sealed []byte) error {
		c.event(tx, number(key), sealed)
		return nil
	})
	if err != nil {
		return err
	}
	if !c.quick {
		if n := tx.Bucket(bucketEvents).Stats().KeyN; n != c.report.Events {
			c.problem("there are %d events and %d states", n, c.report.Events)
		}
		err = c.ids(tx)
	}
	// Where a state is damaged, nobody knows what it would have counted for.
	if len(c.report.Damaged) == 0 {
		c.totals(tx)
	}
	return err
}

// totals checks that indexes and counts have nothing that no event accounts for.
func (c *check) totals(tx *bolt.Tx) {
	for number, r := range c.rows {
		if *c.counts[number] != r.Counts {
			c.problem("route %s counts %v, and has %v", r.Route, r.Counts, *c.counts[number])
		}
	}
	for _, name := range [][]byte{bucketIndex, bucketDue, bucketOrder} {
		n, cursor := 0, tx.Bucket(name).Cursor()
		for key, _ := cursor.First(); key != nil; key, _ = cursor.Next() {
			n++
		}
		if n != c.entries[string(name)] {
			c.problem("index %s has %d entries, and should have %d", name, n, c.entries[string(name)])
		}
	}
}

// event checks one event, its state, and where the indexes have it.
func (c *check) event(tx *bolt.Tx, seq uint64, sealed []byte) {
	c.report.Events++
	s, err := openStatus(sealed, seq)
	if err == nil && !c.quick {
		_, err = readEvent(tx, seq, false)
	}
	if err != nil {
		c.report.Damaged = append(c.report.Damaged, seq)
		return
	}
	counts := c.counts[s.route]
	if counts == nil {
		c.problem("event %d is of route %d, which there is not", seq, s.route)
		return
	}
	counts[s.state]++
	if indexed(s.state) {
		c.entry(bucketIndex, indexKey(s), seq)
	}
	head := true
	if s.ordered() {
		c.entry(bucketOrder, orderKey(s), seq)
		first, _ := c.cursors[string(bucketOrder)].Seek(orderPrefix(s))
		head = number(first) == seq
	}
	if s.claimable() && head {
		c.entry(bucketDue, dueKey(s), seq)
	}
}

// entry checks that an index has an event.
func (c *check) entry(bucket, key []byte, seq uint64) {
	c.entries[string(bucket)]++
	if found, _ := c.cursors[string(bucket)].Seek(key); !bytes.Equal(found, key) {
		c.problem("index %s does not have event %d", bucket, seq)
	}
}

// ids checks that each remembered id is known by its log, through which it is forgotten.
func (c *check) ids(tx *bolt.Tx) error {
	log := tx.Bucket(bucketIDLog)
	return tx.Bucket(bucketIDs).ForEach(func(id, value []byte) error {
		seq, arrived, ok := readIDValue(value)
		s, err := openSeen(log.Get(seqKey(seq)), seq)
		if !ok || err != nil || !bytes.Equal(s.id[:], id) || s.arrived != arrived {
			c.problem("the id of event %d is not in the log of ids", seq)
		}
		return nil
	})
}
