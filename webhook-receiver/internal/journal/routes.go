package journal

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// row is a route that the store has had events of, and their counts. It is written with each change of a count, so
// that an Open need not count.
type row struct {
	Number    uint32        `json:"-"`
	Version   uint64        `json:"version"` // grows with each copy, for salvage to know the newest
	Route     event.RouteID `json:"route"`
	Received  uint64        `json:"received"`
	Counts    [5]uint64     `json:"counts"` // by index into event.States()
	LastEvent time.Time     `json:"lastEvent,omitzero"`
	LastError string        `json:"lastError,omitempty"`
	ErrorTime time.Time     `json:"errorTime,omitzero"`
}

func (r *row) seal() ([]byte, error) {
	r.Version++
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encoding route: %w", err)
	}
	return seal(kindRoute, uint64(r.Number), text), nil
}

func openRow(key, sealed []byte) (*row, error) {
	if len(key) != 4 {
		return nil, fmt.Errorf("%w: a route number of %d bytes", ErrDamaged, len(key))
	}
	n := binary.BigEndian.Uint32(key)
	text, err := unseal(sealed, kindRoute, uint64(n))
	if err != nil {
		return nil, fmt.Errorf("reading route %d: %w", n, err)
	}
	r := &row{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("reading route %d: %w: %w", n, ErrDamaged, err)
	}
	r.Number = n
	return r, nil
}

func (r *row) total() uint64 {
	var n uint64
	for _, c := range r.Counts {
		n += c
	}
	return n
}

// routes are the rows as committed. The rows themselves are never changed, only exchanged.
type routes struct {
	mu      sync.RWMutex
	numbers map[event.RouteID]uint32
	rows    map[uint32]*row
}

// load reads the rows from the file.
func (r *routes) load(tx *bolt.Tx) error {
	numbers, rows := map[event.RouteID]uint32{}, map[uint32]*row{}
	err := tx.Bucket(bucketRoutes).ForEach(func(k, v []byte) error {
		one, err := openRow(k, v)
		if err != nil {
			return err
		}
		numbers[one.Route], rows[one.Number] = one.Number, one
		return nil
	})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.numbers, r.rows = numbers, rows
	return nil
}

// replace takes over what a batch has changed.
func (r *routes) replace(changed map[uint32]*row) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n, one := range changed {
		r.numbers[one.Route], r.rows[n] = n, one
	}
}

func (r *routes) number(id event.RouteID) (uint32, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	n, ok := r.numbers[id]
	return n, ok
}

// get returns nil for a number that does not exist.
func (r *routes) get(number uint32) *row {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.rows[number]
}

// all returns the rows sorted by route.
func (r *routes) all() []*row {
	r.mu.RLock()
	all := make([]*row, 0, len(r.rows))
	for _, one := range r.rows {
		all = append(all, one)
	}
	r.mu.RUnlock()
	slices.SortFunc(all, func(a, b *row) int { return compareRoutes(a.Route, b.Route) })
	return all
}

func compareRoutes(a, b event.RouteID) int {
	return slices.CompareFunc([]string{string(a.Kind), a.Namespace, a.Name},
		[]string{string(b.Kind), b.Namespace, b.Name}, strings.Compare)
}

// row returns the batch's own copy of a route's row, which may be changed; nil when there is no such route.
func (b *batch) row(number uint32) *row {
	if r := b.rows[number]; r != nil {
		return r
	}
	committed := b.j.routes.get(number)
	if committed == nil {
		return nil
	}
	r := *committed
	b.rows[number] = &r
	return &r
}

// rowOf is row by name; a route that has none yet gets one.
func (b *batch) rowOf(id event.RouteID) *row {
	if n, ok := b.j.routes.number(id); ok {
		return b.row(n)
	}
	for _, r := range b.rows {
		if r.Route == id {
			return r
		}
	}
	n, err := b.routes.NextSequence()
	if err != nil {
		b.spoil(fmt.Errorf("numbering route: %w", err))
	}
	r := &row{Number: uint32(n), Route: id}
	b.rows[r.Number] = r
	return r
}
